using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Mail;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.ServiceAccounts;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Messaging.Jobs;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Invitations;

internal sealed class RenewInvitation : IEndpoint
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(CreateInvitationRequest.DefaultDays);

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/invitations/{id:guid}/renewals", HandleAsync)
            .RequireScope(Scopes.UsersWrite)
            .WithTags("Invitations")
            .WithSummary("Send an invitation anew")
            .WithDescription(
                "Sends another mail, or returns another link, which works for 7 days; links from before do not work any more. Also for an invitation whose time is over."
            )
            .WithResponseExample(StatusCodes.Status200OK, InvitationResponse.ExampleWithLink)
            .ProducesError(
                403,
                "identity.role-beyond-yours",
                "You cannot give the role 'admin': it may do what your credential may not."
            )
            .ProducesError(404, "identity.invitation-not-found", "There is no such invitation.")
            .ProducesError(
                409,
                "identity.invitation-closed",
                "The invitation was accepted or revoked; make another one."
            )
            .ProducesError(409, "identity.already-invited", "There is another open invitation of this address.")
            .ProducesError(412, "version-mismatch", "It was changed since the version that If-Match names.");

    private static async Task<Results<Ok<InvitationResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The invitation.")] Guid id,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        PasswordStore passwords,
        Mailer mailer,
        JobEnqueuer jobs,
        Issuer issuer,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        if (await store.LoadAsync<Invitation>(caller.Access, id, cancellationToken) is not { } found)
            return Problems.NotFound("identity.invitation-not-found", "There is no such invitation.");
        var emailHash = await passwords.HashEmailAsync(found.Value.Email, cancellationToken);
        var token = mailer.IsConfigured ? null : InvitationToken.New();
        var context = caller.For(http);
        var now = time.GetUtcNow();
        try
        {
            var outcome = await store.DecideAsync<Invitation>(
                context,
                id,
                invitation =>
                {
                    if (Refuse(invitation, caller) is { } refusal)
                        return refusal;
                    var expiresAt = now + Lifetime;
                    return Decision
                        .Append(new InvitationRenewed(mailer.IsConfigured, now, expiresAt))
                        .AlsoWriting([
                            InvitationToken.RemoveAll(caller.TenantId, id),
                            .. InvitationToken.Open(caller.TenantId, id, emailHash, expiresAt, now),
                            token is null
                                ? jobs.Enqueue(context, new InvitationToSend(id, invitation!.Deliveries + 1))
                                : InvitationToken.Store(caller.TenantId, id, token, expiresAt),
                        ]);
                },
                cancellationToken
            );
            return outcome.Match<Results<Ok<InvitationResponse>, ProblemHttpResult>>(
                invitation =>
                {
                    EntityTags.Set(http, invitation.Version);
                    var link = token is null ? null : InvitationToken.LinkOf(issuer, token);
                    return TypedResults.Ok(InvitationResponse.From(id, invitation.Value, now, link));
                },
                refusal => Problems.From(refusal)
            );
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return Problems.Create(
                new HttpError(409, "identity.already-invited", "There is another open invitation of this address.")
            );
        }
    }

    internal static Decision? Refuse(Invitation? invitation, Caller caller) =>
        invitation switch
        {
            null => Invitation.NotFound,
            { IsOpen: false } => Invitation.Closed,
            _ => RoleGrant.Refuse(caller, invitation.Role),
        };
}
