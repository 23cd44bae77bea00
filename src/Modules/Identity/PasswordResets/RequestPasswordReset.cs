using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.PasswordResets;

/// <summary>Whose password was forgotten.</summary>
public sealed record RequestPasswordResetRequest(
    [property: Required, StringLength(254)] [property: Description("The address of the account.")] string Email
);

internal sealed class RequestPasswordReset : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/password-reset", HandleAsync)
            .AllowAnyone()
            .LimitByAddress(AddressLimit.Resets)
            .WithTags("Authentication")
            .WithSummary("Forget your password")
            .WithDescription(
                "Sends a mail with a link that works once, within thirty minutes, if the address is somebody's. The answer is the same if it is not. Without a mail server nothing is sent: an administrator makes a link."
            )
            .WithRequestExample(new RequestPasswordResetRequest("ada@example.org"));

    private static async Task<Accepted> HandleAsync(
        RequestPasswordResetRequest request,
        HttpContext http,
        PasswordResetRequests requests,
        CancellationToken cancellationToken
    )
    {
        await requests.TakeAsync(http, request.Email, cancellationToken);
        return TypedResults.Accepted((string?)null);
    }
}
