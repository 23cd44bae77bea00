using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.ApiKeys;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.ServiceAccounts;

internal sealed class CreateServiceAccountKey : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/service-accounts/{id:guid}/api-keys", HandleAsync)
            .RequireScope(Scopes.ServiceAccountsWrite)
            .WithTags("Service accounts")
            .WithSummary("Make an API key of a service account")
            .WithDescription(
                "Makes a key that acts as the service account and returns its secret, which is shown only in this answer. Its scopes are at most yours, and at most those of the account's role. It is listed, changed, rotated and revoked as every other API key."
            )
            .WithRequestExample(CreateApiKey.RequestExample)
            .WithResponseExample(
                StatusCodes.Status201Created,
                CreatedApiKeyResponse.Example with
                {
                    PrincipalId = ServiceAccountResponse.Example.Id,
                }
            )
            .ProducesError(
                403,
                "identity.scope-beyond-yours",
                "You cannot grant 'audit:read': you do not have it yourself."
            )
            .ProducesError(404, "identity.service-account-not-found", "There is no such service account.")
            .ProducesError(422, "identity.no-scope", "Name at least one scope, or leave 'scopes' out.")
            .ProducesError(422, "identity.unknown-scope", "There is no scope 'everything'. The scopes are …")
            .ProducesError(
                422,
                "identity.scope-beyond-role",
                "The role 'viewer' of the service account has no 'audit:read'."
            )
            .ProducesError(422, "identity.expiry-in-the-past", "'expiresAt' must lie in the future.");

    private static async Task<Results<Created<CreatedApiKeyResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The service account.")] Guid id,
        CreateApiKeyRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        IdSource ids,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var account = await store.LoadAsync<ServiceAccount>(caller.Access, id, cancellationToken);
        var keyId = ids.New();
        var secret = ApiKeySecret.New();
        var outcome = await store.DecideAsync<ApiKey>(
            caller.For(http),
            keyId,
            _ => Decide(account?.Value, id, caller, keyId, request, secret, time.GetUtcNow()),
            cancellationToken
        );
        return outcome.Match<Results<Created<CreatedApiKeyResponse>, ProblemHttpResult>>(
            key => TypedResults.Created($"/api/api-keys/{keyId}", CreatedApiKeyResponse.From(keyId, key.Value, secret)),
            refusal => Problems.From(refusal)
        );
    }

    // Should the account be changed at the same moment, the key is none the stronger: what it may do is looked up with its role of then.
    internal static Decision Decide(
        ServiceAccount? account,
        Guid accountId,
        Caller caller,
        Guid keyId,
        CreateApiKeyRequest request,
        string secret,
        DateTimeOffset now
    )
    {
        if (account is null)
            return ServiceAccount.NotFound;
        if (
            request.Scopes?.FirstOrDefault(s =>
                Scopes.All.Contains(s, StringComparer.Ordinal) && !RoleScopes.Of(account.Role).Contains(s)
            ) is
            { } beyond
        )
            return Decision.Refuse(
                RefusalKind.Invalid,
                "identity.scope-beyond-role",
                $"The role '{RoleScopes.NameOf(account.Role)}' of the service account has no '{beyond}'."
            );
        return CreateApiKey.Decide(caller, accountId, PrincipalKind.ServiceAccount, keyId, request, secret, now);
    }
}
