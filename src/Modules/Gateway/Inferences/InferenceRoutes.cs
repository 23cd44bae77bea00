using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>What all routes that ask a model have in common.</summary>
internal static class InferenceRoutes
{
    /// <summary>Maps a route whose body <see cref="InferenceCalls"/> reads.</summary>
    /// <param name="routes">Where it is mapped.</param>
    /// <param name="path">The path below the version.</param>
    /// <param name="wire">The wire that it is of.</param>
    /// <param name="handler">Answers.</param>
    public static RouteHandlerBuilder MapInference(
        this IEndpointRouteBuilder routes,
        string path,
        CallerWire wire,
        Func<HttpContext, Task> handler
    ) =>
        routes
            .MapPost(path, (Delegate)handler)
            // The body is read by the calls, so there is nothing that the framework could check.
            .DisableValidation()
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(wire.Dialect, OwnSizeLimit.Instance)
            .WithTags(wire.Dialect.Tag)
            .WithResponseHeader(
                InferenceCalls.InferenceIdHeader,
                "The stream of events that records this call, for `/api/audit/streams/{id}`."
            )
            .ProducesError(404, "model_not_found", wire.Dialect.ModelNotFound("gpt-0").Message)
            .ProducesError(413, "body_too_large", "The body is larger than 33554432 bytes (Gateway:MaxRequestBytes).")
            .ProducesError(502, "upstream_unreachable", "The provider cannot be reached.")
            .ProducesError(504, "upstream_timeout", "The provider did not begin its answer in time.");
}

/// <summary>Takes Kestrel's limit off a route that counts the bytes itself, so that its own error is answered.</summary>
internal sealed class OwnSizeLimit : IRequestSizeLimitMetadata
{
    public static readonly OwnSizeLimit Instance = new();

    public long? MaxRequestBodySize => null;
}
