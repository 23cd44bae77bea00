using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
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
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Messaging.Jobs;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>Who is to be invited.</summary>
public sealed record CreateInvitationRequest(
    [property: Required, EmailAddress, StringLength(254)]
    [property: Description("The address of the person.")]
        string Email,
    [property: Required, EnumDataType(typeof(Role))]
    [property: Description("What the person will be: a role that may nothing that you may not.")]
        Role? Role,
    [property: Range(1, 30)]
    [property: Description("How long the invitation can be accepted, in days; 7 if left out.")]
        int ExpiresInDays = CreateInvitationRequest.DefaultDays
)
{
    internal const int DefaultDays = 7;
}

internal sealed class CreateInvitation : IEndpoint
{
    private static readonly Refusal AlreadyMember = new(
        RefusalKind.Conflict,
        "identity.already-member",
        "The person is a member of the organization already."
    );

    private static readonly Refusal AlreadyInvited = new(
        RefusalKind.Conflict,
        "identity.already-invited",
        "There is an open invitation of this address: renew or revoke it."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/invitations", HandleAsync)
            .RequireScope(Scopes.UsersWrite)
            .WithTags("Invitations")
            .WithSummary("Invite a person")
            .WithDescription(
                "Invites an address to your organization, whether there is an account with it or not. The link works once; it is sent by mail, or returned in this answer alone when no mail server is set."
            )
            .WithRequestExample(
                new CreateInvitationRequest(InvitationResponse.Example.Email, InvitationResponse.Example.Role)
            )
            .WithResponseExample(StatusCodes.Status201Created, InvitationResponse.ExampleWithLink)
            .ProducesError(
                403,
                "identity.role-beyond-yours",
                "You cannot give the role 'admin': it may do what your credential may not."
            )
            .ProducesError(409, AlreadyMember.Code, AlreadyMember.Message)
            .ProducesError(409, AlreadyInvited.Code, AlreadyInvited.Message)
            .ProducesError(422, "identity.address-not-mailable", "Mails cannot be sent to this address.");

    private static async Task<Results<Created<InvitationResponse>, ProblemHttpResult>> HandleAsync(
        CreateInvitationRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        PasswordStore passwords,
        Memberships memberships,
        Mailer mailer,
        JobEnqueuer jobs,
        Issuer issuer,
        IdSource ids,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var role = request.Role!.Value;
        var email = request.Email.Trim();
        if (RoleGrant.Check(caller, role) is { } beyond)
            return Problems.From(beyond);
        if (!MailAddress.TryParse(email, out var address) || address.Name is not null)
            return Problems.Create(
                new HttpError(422, "identity.address-not-mailable", "Mails cannot be sent to this address.")
            );
        var account = await passwords.FindByEmailAsync(email, cancellationToken);
        if (
            account is not null
            && (await memberships.ListAsync(account.UserId, cancellationToken)).Any(m => m.TenantId == caller.TenantId)
        )
            return Problems.From(AlreadyMember);

        var id = ids.New();
        var now = time.GetUtcNow();
        var expiresAt = now + TimeSpan.FromDays(request.ExpiresInDays);
        var token = mailer.IsConfigured ? null : InvitationToken.New();
        var context = caller.For(http);
        var created = new InvitationCreated(
            email,
            role,
            account?.UserId ?? ids.New(),
            mailer.IsConfigured,
            now,
            expiresAt
        );
        SqlWrite[] writes =
        [
            .. InvitationToken.Open(
                caller.TenantId,
                id,
                await passwords.HashEmailAsync(email, cancellationToken),
                expiresAt,
                now
            ),
            token is null
                ? jobs.Enqueue(context, new InvitationToSend(id, Delivery: 1))
                : InvitationToken.Store(caller.TenantId, id, token, expiresAt),
        ];
        try
        {
            var outcome = await store.DecideAsync<Invitation>(
                context,
                id,
                _ => Decision.Append(created).AlsoWriting(writes),
                cancellationToken
            );
            return outcome.Match<Results<Created<InvitationResponse>, ProblemHttpResult>>(
                invitation =>
                {
                    EntityTags.Set(http, invitation.Version);
                    var link = token is null ? null : InvitationToken.LinkOf(issuer, token);
                    return TypedResults.Created(
                        $"/api/invitations/{id}",
                        InvitationResponse.From(id, invitation.Value, now, link)
                    );
                },
                refusal => Problems.From(refusal)
            );
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return Problems.From(AlreadyInvited);
        }
    }
}
