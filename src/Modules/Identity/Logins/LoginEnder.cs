using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>Ends logins, and with each its tokens and cookie.</summary>
[Singleton]
internal sealed class LoginEnder(DocumentStore documents, Standings standings, Database database, TimeProvider time)
{
    public static readonly Refusal NotFound = new(
        RefusalKind.NotFound,
        "identity.login-not-found",
        "There is no such login."
    );

    public static Decision AlreadyOver { get; } =
        Decision.Refuse(RefusalKind.Conflict, "identity.login-over", "The login is over.");

    /// <summary>Ends one; a login that is over already stays as it is.</summary>
    public async Task<Outcome<Login>> EndAsync(
        AppendContext context,
        Guid loginId,
        LoginEndReason reason,
        CancellationToken cancellationToken
    )
    {
        var outcome = await documents.DecideAsync<Login>(
            context,
            loginId,
            login => Decide(login, loginId, reason, time.GetUtcNow()),
            cancellationToken
        );
        // This instance need not wait to hear it from the log.
        standings.Forget(loginId);
        return outcome;
    }

    /// <summary>Ends all of a person's logins that are not over, in every organization.</summary>
    /// <param name="context">Who ends them; its organization is replaced by each login's.</param>
    /// <param name="userId">The person.</param>
    /// <param name="except">One that goes on, or null.</param>
    /// <param name="reason">Why.</param>
    /// <param name="cancellationToken">Ends the work between two logins.</param>
    /// <returns>How many were ended.</returns>
    public async Task<int> EndAllAsync(
        AppendContext context,
        Guid userId,
        Guid? except,
        LoginEndReason reason,
        CancellationToken cancellationToken
    )
    {
        var ended = 0;
        foreach (var (tenantId, loginId) in await FindActiveAsync(userId, cancellationToken))
        {
            if (loginId == except)
                continue;
            await EndAsync(context with { TenantId = tenantId, IfMatch = null }, loginId, reason, cancellationToken);
            ended++;
        }
        return ended;
    }

    /// <summary>Ends all of a person's logins that are not over, in the context's organization.</summary>
    /// <returns>How many were ended.</returns>
    public async Task<int> EndAllHereAsync(
        AppendContext context,
        Guid userId,
        LoginEndReason reason,
        CancellationToken cancellationToken
    )
    {
        var here = (await FindActiveAsync(userId, cancellationToken)).FindAll(l => l.TenantId == context.TenantId);
        foreach (var (_, loginId) in here)
            await EndAsync(context, loginId, reason, cancellationToken);
        return here.Count;
    }

    internal static Decision Decide(Login? login, Guid id, LoginEndReason reason, DateTimeOffset now) =>
        login switch
        {
            null => Decision.Refuse(NotFound.Kind, NotFound.Code, NotFound.Message),
            { EndedAt: not null } => Decision.Nothing,
            _ => Decision
                .Append(new LoginEnded(reason, now))
                .AlsoWriting(new SqlWrite("delete from identity.login_cookies where login_id = $1", id)),
        };

    private async Task<List<(Guid TenantId, Guid LoginId)>> FindActiveAsync(
        Guid userId,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            """
            select l.tenant_id, l.id
            from documents.user u
            join documents.login l on l.tenant_id = u.tenant_id and l.data ->> 'userId' = $1::text
            where u.id = $1 and l.data ->> 'endedAt' is null and (l.data ->> 'endsAt')::timestamptz > $2
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = userId });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = time.GetUtcNow().UtcDateTime });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var logins = new List<(Guid, Guid)>();
        while (await reader.ReadAsync(cancellationToken))
            logins.Add((reader.GetGuid(0), reader.GetGuid(1)));
        return logins;
    }
}
