using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Clients;

/// <summary>How to replace a client's secret.</summary>
public sealed record RotateOAuthClientSecretRequest(
    [property: Range(0, 2_592_000)]
    [property: Description("How many seconds the old secret still works, 30 days at most; a day if left out.")]
        int GraceSeconds = 86_400
);

/// <summary>The new secret of a client.</summary>
/// <param name="Secret">Shown only in this answer.</param>
/// <param name="OldSecretsEndAt">Until when the older ones work.</param>
public sealed record RotatedOAuthClientSecretResponse(string Secret, DateTimeOffset OldSecretsEndAt);

internal sealed class RotateOAuthClientSecret : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/oauth-clients/{id:guid}/secrets", HandleAsync)
            .RequireScope(Scopes.OAuthClientsWrite)
            .WithTags("OAuth clients")
            .WithSummary("Replace an OAuth client's secret")
            .WithDescription(
                "Makes a new secret, shown only in this answer. The old one goes on working for as long as you choose, so that nothing fails while you bring the new one out."
            )
            .WithRequestExample(new RotateOAuthClientSecretRequest(3600))
            .WithResponseExample(
                StatusCodes.Status200OK,
                new RotatedOAuthClientSecretResponse(
                    "vcs_8Zt3QmD1x0aVnK5rJc7LwYb2Gf9HsTePu4RiXo6MqE",
                    new DateTimeOffset(2026, 3, 2, 10, 30, 0, TimeSpan.Zero)
                )
            )
            .ProducesError(404, OAuthClientErrors.NotFoundCode, OAuthClientErrors.NotFoundMessage)
            .ProducesError(409, OAuthClientErrors.DeletedCode, OAuthClientErrors.DeletedMessage)
            .ProducesError(422, "identity.public-client", "A public client has no secret.");

    private static async Task<Results<Ok<RotatedOAuthClientSecretResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The client.")] Guid id,
        RotateOAuthClientSecretRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        OAuthClients clients,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var secret = ClientSecret.New();
        var now = time.GetUtcNow();
        var end = now.AddSeconds(request.GraceSeconds);
        var outcome = await store.DecideAsync<OAuthClient>(
            caller.For(http),
            id,
            client => Decide(client, caller.TenantId, id, secret, now, end),
            cancellationToken
        );
        // This instance need not wait to hear it from the log.
        clients.Forget(id);
        return outcome.Match<Results<Ok<RotatedOAuthClientSecretResponse>, ProblemHttpResult>>(
            client =>
            {
                EntityTags.Set(http, client.Version);
                return TypedResults.Ok(new RotatedOAuthClientSecretResponse(secret, end));
            },
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(
        OAuthClient? client,
        Guid tenantId,
        Guid id,
        string secret,
        DateTimeOffset now,
        DateTimeOffset oldSecretsEndAt
    ) =>
        client switch
        {
            null => OAuthClientErrors.NotFound,
            { DeletedAt: not null } => OAuthClientErrors.Deleted,
            { Settings.IsConfidential: false } => Decision.Refuse(
                RefusalKind.Invalid,
                "identity.public-client",
                "A public client has no secret."
            ),
            _ => Decision
                .Append(new OAuthClientSecretRotated(ClientSecret.PrefixOf(secret), now, oldSecretsEndAt))
                .AlsoWriting(
                    ClientSecret.ForgetEnded(tenantId, id, now),
                    ClientSecret.EndAll(tenantId, id, oldSecretsEndAt),
                    ClientSecret.Store(tenantId, id, secret, now)
                ),
        };
}
