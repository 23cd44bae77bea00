using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Lockouts;

/// <summary>An attempt that may be made: counted as failed until it is told otherwise.</summary>
/// <param name="Account">Whose account, as a keyed hash.</param>
/// <param name="Network">From where, as a keyed hash.</param>
/// <param name="Counted">How the account stands should it fail.</param>
/// <param name="Began">The timestamp of its beginning.</param>
internal sealed record GuardedAttempt(byte[] Account, byte[] Network, CountedAttempt Counted, long Began);

/// <summary>Stands before every proof that somebody could try to guess: passwords, one-time codes, recovery codes.</summary>
[Singleton]
internal sealed class LoginGuard(
    LoginAttempts attempts,
    LateSettlements settlements,
    FirstOrganization firstOrganization,
    EventStore events,
    IdSource ids,
    TimeProvider time
)
{
    internal static readonly HttpError TooMany = new(
        StatusCodes.Status429TooManyRequests,
        "identity.too-many-attempts",
        "Too many attempts have failed; none is looked at until as long as retry-after says has passed."
    );

    // Longer than an attempt takes on a machine that is not overloaded, so that how long it took says nothing about the account.
    private static readonly TimeSpan LeastTime = TimeSpan.FromMilliseconds(300);

    /// <summary>Counts an attempt at an account, or says how long none is allowed.</summary>
    public async Task<(GuardedAttempt? Attempt, TimeSpan RetryAfter)> BeginAsync(
        HttpContext http,
        byte[] account,
        CancellationToken cancellationToken
    )
    {
        var began = time.GetTimestamp();
        await settlements.CatchUpAsync(cancellationToken);
        var network = await attempts.KeyOfNetworkAsync(ClientNetwork.Of(http), cancellationToken);
        var (fromNetwork, networkWait) = await attempts.BeginAsync(AttemptKind.Network, network, cancellationToken);
        if (fromNetwork is null)
            return (null, networkWait);
        var (atAccount, accountWait) = await attempts.BeginAsync(AttemptKind.Account, account, cancellationToken);
        if (atAccount is { } counted)
            return (new GuardedAttempt(account, network, counted, began), TimeSpan.Zero);
        return (null, accountWait);
    }

    /// <summary>The answer to an attempt that may not be made.</summary>
    public static ProblemHttpResult Refuse(HttpContext http, TimeSpan retryAfter)
    {
        http.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(retryAfter.TotalSeconds))
            .ToString(CultureInfo.InvariantCulture);
        return Problems.Create(TooMany);
    }

    /// <summary>The person has proved all that is asked of them. Settled even if they have left meanwhile: they were right.</summary>
    public Task SucceededAsync(GuardedAttempt attempt) =>
        settlements.SettleAsync(() =>
            attempts.SucceededAsync(attempt.Account, attempt.Network, CancellationToken.None)
        );

    /// <summary>It was no failure, but not a success either: another proof is missing, or nobody had the time to look.</summary>
    public Task TakeBackAsync(GuardedAttempt attempt) =>
        settlements.SettleAsync(() => attempts.TakeBackAsync(attempt.Account, attempt.Network, CancellationToken.None));

    /// <summary>Looks at something on the way to a decision. Should the database go away, or nobody have the time to look, there was no attempt.</summary>
    public async Task<T> LookAsync<T>(GuardedAttempt attempt, Func<Task<T>> look)
    {
        try
        {
            return await look();
        }
        catch (Exception e) when (e is NpgsqlException or LogUnavailableException or BusyException)
        {
            await TakeBackAsync(attempt);
            throw;
        }
    }

    /// <summary>Records that the attempt failed, and that the account is locked if it now is. Takes the same time for every account.</summary>
    /// <param name="http">The request.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="tenantId">The person's home organization; null where there is no such person.</param>
    /// <param name="userId">The person, or null.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task FailedAsync(
        HttpContext http,
        GuardedAttempt attempt,
        Guid? tenantId,
        Guid? userId,
        CancellationToken cancellationToken
    )
    {
        var origin = RequestOrigin.Of(http);
        var tenant = tenantId ?? await firstOrganization.GetIdAsync(cancellationToken);
        var streams = new List<StreamEvents>
        {
            new("login-attempt", ids.New(), 0, [new LoginFailed(userId, origin.Address, origin.UserAgent)]),
        };
        if (userId is { } person && attempt.Counted.Delay > TimeSpan.Zero)
            streams.Add(
                new StreamEvents(
                    "lockout",
                    ids.New(),
                    0,
                    [new AccountLocked(person, attempt.Counted.Failures, time.GetUtcNow() + attempt.Counted.Delay)]
                )
            );
        await events.AppendAsync(
            new AppendContext(tenant, userId is null ? "system:login" : $"user:{userId}", RequestId.Of(http))
            {
                Subject = userId,
            },
            streams,
            [],
            cancellationToken
        );
        // Again, since a timer counts whole milliseconds and may be early by one.
        while (LeastTime - time.GetElapsedTime(attempt.Began) is { Ticks: > 0 } rest)
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(rest.TotalMilliseconds)), time, cancellationToken);
    }
}
