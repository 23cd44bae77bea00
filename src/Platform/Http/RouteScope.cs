using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Verbatim.Platform.Http;

/// <summary>What a route demands of its caller. Every route has exactly one; Host checks it at start-up.</summary>
/// <param name="Scope">The scope, or null for a route that is open to anyone.</param>
public sealed record RouteScope(string? Scope);

/// <summary>On a route: it is open to a caller who has something to do before anything else (<see cref="Caller.Pending"/>).</summary>
public sealed record OpenWhilePending;

/// <summary>Declares the scope of a route.</summary>
public static class RouteScopeExtensions
{
    /// <summary>Only a caller whose credential has this scope gets in: 401 without a credential, 403 without the scope.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, string scope)
        where TBuilder : IEndpointConventionBuilder
    {
        var policy = new AuthorizationPolicyBuilder().AddRequirements(new ScopeRequirement(scope)).Build();
        return builder.RequireAuthorization(policy).WithMetadata(new RouteScope(scope));
    }

    /// <summary>A caller who has something to do before anything else (<see cref="Caller.Pending"/>) gets in too.</summary>
    public static TBuilder OpenWhilePending<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new OpenWhilePending());

    /// <summary>Anyone gets in, with or without a credential. For logins, health and documents.</summary>
    public static TBuilder AllowAnyone<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.AllowAnonymous().WithMetadata(new RouteScope(null));

    /// <summary>Finds routes that do not say who may call them.</summary>
    /// <exception cref="InvalidOperationException">There is one; the message names it.</exception>
    public static void CheckEveryRouteDeclaresItsScope(IEnumerable<Endpoint> endpoints)
    {
        var silent = endpoints
            .OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<RouteScope>() is null)
            .Select(e => $"{Verbs(e)} {e.RoutePattern.RawText}")
            .ToList();
        if (silent.Count > 0)
            throw new InvalidOperationException(
                $"These routes declare no scope: {string.Join(", ", silent)}. Add .RequireScope(…) or .AllowAnyone() where they are mapped."
            );
    }

    private static string Verbs(Endpoint endpoint) =>
        string.Join('|', endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["*"]);
}

internal sealed class ScopeRequirement(string scope) : AuthorizationHandler<ScopeRequirement>, IAuthorizationRequirement
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, ScopeRequirement requirement)
    {
        if (
            context.User.Identity is CallerIdentity { Caller: var caller }
            && caller.Scopes.Contains(scope)
            && (caller.Pending is null || IsOpenWhilePending(context.Resource))
        )
            context.Succeed(requirement);
        return Task.CompletedTask;
    }

    private static bool IsOpenWhilePending(object? resource) =>
        (resource as HttpContext)?.GetEndpoint()?.Metadata.GetMetadata<OpenWhilePending>() is not null;
}
