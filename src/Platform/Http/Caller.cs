using System.Reflection;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http.Idempotency;

namespace Verbatim.Platform.Http;

/// <summary>
/// Who calls: taken as a parameter by an endpoint that is not open to anyone. Made once per credential and shared by all its requests.
/// </summary>
/// <param name="TenantId">The organization that the credential speaks for.</param>
/// <param name="Actor">As it is stored in events: <c>user:&lt;uuid&gt;</c> or <c>api-key:&lt;uuid&gt;</c>.</param>
/// <param name="UserId">The person behind the credential.</param>
/// <param name="Scopes">What the credential may do.</param>
public sealed record Caller(Guid TenantId, string Actor, Guid UserId, IReadOnlySet<string> Scopes)
{
    /// <summary>Bound by minimal APIs.</summary>
    /// <exception cref="InvalidOperationException">The route is open to anyone, so there may be no caller.</exception>
    public static ValueTask<Caller> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        ArgumentNullException.ThrowIfNull(context);
        return ValueTask.FromResult(Of(context));
    }

    /// <summary>The caller of a request that has passed authorization.</summary>
    public static Caller Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return (context.User.Identity as CallerIdentity)?.Caller
            ?? throw new InvalidOperationException("There is no caller: the route takes one but is open to anyone.");
    }

    /// <summary>What an append on behalf of this caller, for this request, is stored with.</summary>
    public AppendContext For(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new AppendContext(TenantId, Actor, RequestId.Of(context))
        {
            Subject = UserId,
            Also = context.Features.Get<IdempotentAttempt>() is { Id: var attempt }
                ? IdempotentRequests.MarkEffect(attempt)
                : null,
        };
    }
}

/// <summary>The identity that authentication leaves on a request.</summary>
/// <param name="caller">Who it is.</param>
/// <param name="scheme">How it was found out.</param>
public sealed class CallerIdentity(Caller caller, string scheme) : ClaimsIdentity(scheme)
{
    /// <summary>Who it is.</summary>
    public Caller Caller { get; } = caller;
}
