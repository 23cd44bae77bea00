using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>Which invitations a list has.</summary>
public sealed record ListInvitationsRequest
{
    /// <summary>Only those of this status.</summary>
    [QueryWord("pending", "accepted", "revoked", "expired")]
    [Description("Only invitations of this status: `pending`, `accepted`, `revoked` or `expired`.")]
    public string? Status { get; init; }

    internal DocumentFilter ToFilter(DateTimeOffset now)
    {
        var filter = new DocumentFilter();
        if (Status is not null)
            filter.Where(
                $"""
                case when data ->> 'acceptedAt' is not null then 'accepted'
                    when data ->> 'revokedAt' is not null then 'revoked'
                    when (data ->> 'expiresAt')::timestamptz <= {now.UtcDateTime} then 'expired'
                    else 'pending' end = {Status}
                """
            );
        return filter;
    }
}

internal sealed class ListInvitations : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/invitations", HandleAsync)
            .RequireScope(Scopes.UsersRead)
            .WithTags("Invitations")
            .WithSummary("List invitations")
            .WithDescription("Newest first, those that are closed included.")
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<InvitationResponse>([InvitationResponse.Example], NextCursor: null)
            );

    private static async Task<Results<Ok<Page<InvitationResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] ListInvitationsRequest request,
        [AsParameters] PageRequest page,
        Caller caller,
        DocumentStore store,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        return await DocumentPages.ListAsync<Invitation, InvitationResponse>(
            store,
            caller.Access,
            page,
            request.ToFilter(now),
            found =>
                Task.FromResult<IReadOnlyList<InvitationResponse>>([
                    .. found.Select(i => InvitationResponse.From(i.Id, i.Value, now)),
                ]),
            cancellationToken
        );
    }
}
