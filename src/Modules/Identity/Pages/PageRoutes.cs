using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>Maps pages: open to anyone, since a page itself sends on whoever must log in first, and no part of the API's description.</summary>
internal static class PageRoutes
{
    /// <summary>What a browser gets.</summary>
    public static void MapPage(this IEndpointRouteBuilder routes, string path, Func<HttpContext, Task<IResult>> show) =>
        // As a Delegate: as a RequestDelegate its result would be dropped.
        routes.MapGet(path, (Delegate)show).AllowAnyone().ExcludeFromDescription();

    /// <summary>What a form sends.</summary>
    public static void MapForm(
        this IEndpointRouteBuilder routes,
        string path,
        AddressLimit limit,
        Func<HttpContext, Task<IResult>> take
    ) =>
        routes
            .MapPost(path, (Delegate)take)
            .AllowAnyone()
            .LimitByAddress(limit)
            .RecordsFailedProofs()
            .ExcludeFromDescription();
}
