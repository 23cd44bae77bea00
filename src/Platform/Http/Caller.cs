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
/// <param name="PrincipalId">The person, service account or client that the credential acts for.</param>
/// <param name="Scopes">What the credential may do.</param>
public sealed record Caller(Guid TenantId, string Actor, Guid PrincipalId, IReadOnlySet<string> Scopes)
{
    /// <summary>What of the organization the principal's role reaches.</summary>
    public required Reach Reach { get; init; }

    /// <summary>The login that the credential belongs to; null for one that outlives logins, as an API key.</summary>
    public Guid? LoginId { get; init; }

    /// <summary>
    /// What this caller has to do before anything else, as the error that every route answers with but those that are open meanwhile
    /// (<see cref="RouteScopeExtensions.OpenWhilePending"/>); null for nothing.
    /// </summary>
    public HttpError? Pending { get; init; }

    /// <summary>The project that the credential belongs to, or null.</summary>
    public Guid? ProjectId { get; init; }

    /// <summary>True when the organization is the one that runs the installation, whose administrators decide about what all organizations share.</summary>
    public bool RunsInstallation { get; init; }

    /// <summary>Which documents this caller reaches: what every read by an endpoint is limited to.</summary>
    public Access Access => Reach == Reach.Own ? Access.ToOwn(TenantId, PrincipalId) : Access.ToAll(TenantId);

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
            Subject = PrincipalId,
            OnlyOwnedBy = Reach == Reach.Organization ? null : PrincipalId,
            IfMatch = IfMatch.Of(context.Request),
            Also = context.Features.Get<IdempotentAttempt>() is { Id: var attempt }
                ? IdempotentRequests.MarkEffect(attempt)
                : null,
        };
    }
}

/// <summary>Which documents of an organization a role reaches. What may be done to them at all is said by scopes.</summary>
public enum Reach
{
    /// <summary>What is one's own, and what is shared.</summary>
    Own,

    /// <summary>Reads everything; changes what is one's own.</summary>
    ReadsOrganization,

    /// <summary>Everything.</summary>
    Organization,
}

/// <summary>The identity that authentication leaves on a request.</summary>
/// <param name="caller">Who it is.</param>
/// <param name="scheme">How it was found out.</param>
public sealed class CallerIdentity(Caller caller, string scheme) : ClaimsIdentity(scheme)
{
    /// <summary>Who it is.</summary>
    public Caller Caller { get; } = caller;
}
