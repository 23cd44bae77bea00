using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Tests.Architecture;

public sealed class RouteTests
{
    // Each is open for a reason that a reader of this list agrees with: whoever logs in has no credential yet, whoever looks whether the
    // server lives has none at all, and how the API works is no secret.
    private static readonly string[] OpenToAnyone =
    [
        "GET /",
        "GET /.well-known/oauth-authorization-server",
        "GET /.well-known/openid-configuration",
        "GET /account",
        "GET /account/password",
        "GET /account/second-factor",
        "GET /assets/{name}",
        "GET /docs/{**path}",
        "GET /health/live",
        "GET /health/ready",
        "GET /invitation",
        "GET /login",
        "GET /login/external/{id:guid}",
        "GET /login/external/{id:guid}/callback",
        "GET /logout",
        "GET /oauth/authorize",
        "GET /oauth/jwks",
        "GET /oauth/logout",
        "GET /oauth/userinfo",
        "GET /openapi/v1.json",
        "GET /password-reset",
        "GET /password-reset/choose",
        "POST /account/password",
        "POST /account/second-factor",
        "POST /account/second-factor/confirmation",
        "POST /account/second-factor/disable",
        "POST /api/auth/login",
        "POST /api/auth/login/second-factor",
        "POST /api/auth/password-reset",
        "POST /api/auth/password-reset/confirmation",
        "POST /api/auth/refresh",
        "POST /api/invitations/accept",
        "POST /invitation",
        "POST /login",
        "POST /login/organization",
        "POST /login/second-factor",
        "POST /logout",
        "POST /oauth/authorize",
        "POST /oauth/consent",
        "POST /oauth/introspect",
        "POST /oauth/logout",
        "POST /oauth/revoke",
        "POST /oauth/token",
        "POST /oauth/userinfo",
        "POST /password-reset",
        "POST /password-reset/choose",
    ];

    [Fact]
    public async Task A_route_that_does_not_say_who_may_call_it_keeps_the_host_from_starting()
    {
        await using var database = new Database("Host=nowhere");
        await using var app = Build(database, new SilentModule());

        var refusal = Assert.Throws<InvalidOperationException>(app.MapModules);

        Assert.Contains("GET /api/silent", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_route_demands_a_scope_that_exists_or_is_known_to_be_open()
    {
        await using var database = new Database("Host=nowhere");
        await using var app = Build(database, [.. Product.Modules]);
        app.MapModules();
        var routes = RoutesOf(app).ToList();

        var demanded = routes.Select(r => r.Metadata.GetMetadata<RouteScope>()!.Scope).OfType<string>();
        var open = routes.Where(r => r.Metadata.GetMetadata<RouteScope>()!.Scope is null).SelectMany(NamesOf);

        Assert.Subset(Scopes.All.ToHashSet(StringComparer.Ordinal), demanded.ToHashSet(StringComparer.Ordinal));
        Assert.Equal(OpenToAnyone.Order(StringComparer.Ordinal), open.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Nobody_is_expected_where_anyone_may_come()
    {
        await using var database = new Database("Host=nowhere");
        await using var app = Build(database, [.. Product.Modules]);
        app.MapModules();

        var faults = RoutesOf(app)
            .Where(r => r.Metadata.GetMetadata<RouteScope>()!.Scope is null)
            .Where(r =>
                r.Metadata.GetMetadata<MethodInfo>()?.GetParameters().Any(p => p.ParameterType == typeof(Caller))
                == true
            )
            .SelectMany(NamesOf)
            .Select(name => $"{name} is open to anyone and takes a Caller, who may not exist.");

        Findings.AssertNone(faults);
    }

    [Fact]
    public void Every_scope_is_in_the_list_of_all()
    {
        var constants = typeof(Scopes)
            .GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(f => f.IsLiteral)
            .Select(f => (string)f.GetRawConstantValue()!)
            .Order(StringComparer.Ordinal);

        Assert.Equal(constants, Scopes.All);
    }

    private static WebApplication Build(Database database, params IReadOnlyList<IModule> modules)
    {
        var builder = WebApplication.CreateBuilder();
        // Or it would make one in the home folder of whoever runs the tests.
        builder.Configuration["Secrets:MasterKey"] = Convert.ToBase64String(new byte[32]);
        builder.AddModules(database, modules);
        return builder.Build();
    }

    private static IEnumerable<RouteEndpoint> RoutesOf(IEndpointRouteBuilder app) =>
        app.DataSources.SelectMany(s => s.Endpoints).OfType<RouteEndpoint>();

    private static IEnumerable<string> NamesOf(RouteEndpoint route) =>
        (route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Select(method =>
            $"{method} /{route.RoutePattern.RawText!.TrimStart('/')}"
        );
}
