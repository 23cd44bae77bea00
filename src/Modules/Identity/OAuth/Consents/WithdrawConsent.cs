using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.OAuth.Consents;

internal sealed class WithdrawConsent(Database database, DocumentStore documents, LoginEnder ender, TimeProvider time)
    : IEndpoint
{
    private const string NotFoundCode = "identity.consent-not-found";
    private const string NotFoundMessage = "There is no such consent.";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/me/consents/{id:guid}", HandleAsync)
            .RequireScope(Scopes.AccountWrite)
            .WithTags("Consents")
            .WithSummary("Withdraw a consent")
            .WithDescription(
                "The application does not act for you any more: its tokens stop working within a second on every instance, and it asks again before it gets new ones. Withdrawing it again changes nothing."
            )
            .ProducesError(404, NotFoundCode, NotFoundMessage);

    private async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The consent.")] Guid id,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var context = caller.For(http) with { OnlyOwnedBy = caller.PrincipalId };
        var outcome = await documents.DecideAsync<Consent>(
            context,
            id,
            consent => Decide(consent, time.GetUtcNow()),
            cancellationToken
        );
        if (outcome.Match<Refusal?>(_ => null, refusal => refusal) is { } refused)
            return Problems.From(refused);
        // Also after a withdrawal that a crash has cut short.
        var clientId = outcome.Match(consent => consent.Value.ClientId, _ => Guid.Empty);
        foreach (var login in await FindLoginsAsync(caller, clientId, cancellationToken))
            await ender.EndAsync(
                context with
                {
                    IfMatch = null,
                },
                login,
                LoginEndReason.ConsentWithdrawn,
                cancellationToken
            );
        return TypedResults.NoContent();
    }

    internal static Decision Decide(Consent? consent, DateTimeOffset now) =>
        consent switch
        {
            null => Decision.Refuse(RefusalKind.NotFound, NotFoundCode, NotFoundMessage),
            { WithdrawnAt: not null } => Decision.Nothing,
            _ => Decision.Append(new ConsentWithdrawn(now)),
        };

    private async Task<List<Guid>> FindLoginsAsync(Caller caller, Guid clientId, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            select id from documents.login
            where tenant_id = $1 and data ->> 'userId' = $2::text and data ->> 'clientId' = $3::text
              and data ->> 'endedAt' is null
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = caller.TenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = caller.PrincipalId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = clientId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var logins = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken))
            logins.Add(reader.GetGuid(0));
        return logins;
    }
}
