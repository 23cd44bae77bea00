using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Consents;

/// <summary>What a person has agreed to.</summary>
/// <param name="Id">The consent, and the stream of its events.</param>
/// <param name="ClientId">The application.</param>
/// <param name="Scopes">What it may do at most.</param>
/// <param name="GivenAt">When the person first agreed.</param>
/// <param name="WithdrawnAt">When they took it back.</param>
public sealed record ConsentResponse(
    Guid Id,
    Guid ClientId,
    IReadOnlyList<string> Scopes,
    DateTimeOffset GivenAt,
    DateTimeOffset? WithdrawnAt
)
{
    internal static readonly ConsentResponse Example = new(
        Guid.Parse("0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77"),
        Guid.Parse("0198c8a4-2f6b-7d0e-9a51-c3e07b64d218"),
        ["openid", "inferences:create"],
        new DateTimeOffset(2026, 3, 2, 9, 30, 0, TimeSpan.Zero),
        WithdrawnAt: null
    );

    internal static ConsentResponse From(Guid id, Consent consent) =>
        new(id, consent.ClientId, consent.Scopes, consent.GivenAt, consent.WithdrawnAt);
}

internal sealed class ListConsents : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/me/consents", HandleAsync)
            .RequireScope(Scopes.AccountRead)
            .WithTags("Consents")
            .WithSummary("List what you have agreed to")
            .WithDescription(
                "The applications that may act for you in this organization, newest first, and those that might."
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<ConsentResponse>([ConsentResponse.Example], NextCursor: null)
            );

    // One's own, whatever the role reaches.
    private static Task<Results<Ok<Page<ConsentResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageRequest page,
        Caller caller,
        DocumentStore store,
        CancellationToken cancellationToken
    ) =>
        DocumentPages.ListAsync<Consent, ConsentResponse>(
            store,
            Access.ToOwn(caller.TenantId, caller.PrincipalId),
            page,
            document => ConsentResponse.From(document.Id, document.Value),
            cancellationToken
        );
}
