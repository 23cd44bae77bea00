using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity;

/// <summary>
/// Every route × every role × what is not theirs, generated from the routes themselves: a new route is tested by being there. What another
/// organization has, or another person has, must be answered exactly as what nobody has.
/// </summary>
public sealed partial class AuthorizationMatrixTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static readonly Role[] Roles = [Role.Admin, Role.User, Role.Viewer, Role.Auditor];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_another_organization_has_is_answered_as_what_nobody_has()
    {
        var theirs = await OrganizationAsync();
        await FillAsync(theirs);
        var ours = await OrganizationAsync();
        var ids = await IdsAsync(theirs, _ => true);
        Assert.Contains(ids, i => i.Type == "api-key");
        Assert.Contains(ids, i => i.Type == "inference");
        Assert.Contains(ids, i => i.Type == "provider");
        Assert.Contains(ids, i => i.Type == "deployment");
        Assert.Contains(ids, i => i.Type == "model");

        var differences = new List<string>();
        foreach (var role in Roles)
            differences.AddRange(await CompareAsync(ours.Clients[role], role, ids));

        Assert.Empty(differences);
    }

    [Fact]
    public async Task What_another_person_has_is_answered_to_people_without_a_wider_role_as_what_nobody_has()
    {
        var organization = await OrganizationAsync();
        await FillAsync(organization);
        var owned = host
            .Services.GetRequiredService<DocumentCatalog>()
            .Shapes.Select(s => s.ClrType.GetCustomAttribute<StreamTypeAttribute>()!)
            .Where(t => t.Owner != DocumentOwner.Organization)
            .Select(t => t.Name)
            .ToHashSet(StringComparer.Ordinal);
        var notTheirs = organization.People[Role.Admin];
        var ids = (await IdsAsync(organization, owned.Contains))
            .Where(i => i.Type != "user" || i.Id == notTheirs)
            .ToList();
        Assert.Contains(ids, i => i.Type == "api-key");
        Assert.Contains(ids, i => i.Type == "login");

        var differences = new List<string>();
        foreach (var role in new[] { Role.User, Role.Viewer })
            differences.AddRange(await CompareAsync(organization.Clients[role], role, ids));

        Assert.Empty(differences);
    }

    [Fact]
    public async Task No_list_shows_anything_of_another_organization()
    {
        var theirs = await OrganizationAsync();
        await FillAsync(theirs);
        var ours = await OrganizationAsync();
        var ids = await IdsAsync(theirs, _ => true);

        var leaks = new List<string>();
        foreach (
            var route in Routes().Where(r => r.Method == "GET" && !r.Pattern.Contains('{', StringComparison.Ordinal))
        )
        foreach (var role in Roles)
        {
            var answer = await SendAsync(ours.Clients[role], route, Guid.CreateVersion7());
            leaks.AddRange(
                ids.Where(i => answer.Text.Contains(i.Id.ToString(), StringComparison.OrdinalIgnoreCase))
                    .Select(i => $"{role} {route}: {i.Type} {i.Id}")
            );
        }

        Assert.Empty(leaks);
    }

    [Fact]
    public async Task Each_role_passes_where_it_has_the_scope_and_nowhere_else()
    {
        var organization = await OrganizationAsync();
        using var anyone = host.AsAnyone();
        using var stranger = host.As("vk_" + new string('x', 43));

        var wrong = new List<string>();
        foreach (var route in Routes().Where(r => r.Scope is not null))
        {
            foreach (var client in new[] { anyone, stranger })
            {
                var answer = await SendAsync(client, route, Guid.CreateVersion7());
                if (answer.Status != HttpStatusCode.Unauthorized)
                    wrong.Add($"nobody: {route} answers {answer.Status}");
            }
            foreach (var role in Roles)
            {
                var answer = await SendAsync(organization.Clients[role], route, Guid.CreateVersion7());
                var isRefused =
                    answer.Status == HttpStatusCode.Unauthorized
                    || (
                        answer.Status == HttpStatusCode.Forbidden
                        && (answer.Code == "forbidden" || route.Pattern.StartsWith("/v1/", StringComparison.Ordinal))
                    );
                if (isRefused == RoleScopes.Of(role).Contains(route.Scope!))
                    wrong.Add($"{role}: {route} ({route.Scope}) answers {answer.Status} {answer.Code}");
            }
        }

        Assert.Empty(wrong);
    }

    private sealed record Route(string Method, string Pattern, string? Scope, string? Body)
    {
        public override string ToString() => $"{Method} {Pattern}";
    }

    private sealed record Answer(HttpStatusCode Status, string? Code, string Text);

    private sealed record Thing(string Type, Guid Id);

    private sealed record TestOrganization(
        Guid Id,
        IReadOnlyDictionary<Role, Guid> People,
        IReadOnlyDictionary<Role, HttpClient> Clients
    );

    private List<Route> Routes() =>
        [
            .. host
                .Services.GetServices<EndpointDataSource>()
                .SelectMany(s => s.Endpoints)
                .OfType<RouteEndpoint>()
                .SelectMany(e =>
                    (e.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Select(method => new Route(
                        method,
                        "/" + e.RoutePattern.RawText!.TrimStart('/'),
                        e.Metadata.GetMetadata<RouteScope>()!.Scope,
                        e.Metadata.GetMetadata<RequestExample>() is { } example
                            ? JsonSerializer.Serialize(example.Value, Json)
                            : null
                    ))
                )
                .Where(r => r.Pattern.StartsWith("/api/", StringComparison.Ordinal) || r.Scope is not null)
                .OrderBy(r => r.Pattern, StringComparer.Ordinal)
                .ThenBy(r => r.Method, StringComparer.Ordinal),
        ];

    private JsonSerializerOptions Json =>
        host.Services.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;

    // Where an id is part of the request, in the path, the query or the body, it is a thing of somebody else's, and then of nobody's.
    private async Task<List<string>> CompareAsync(HttpClient client, Role role, IReadOnlyList<Thing> things)
    {
        var differences = new List<string>();
        var routes = Routes()
            .Where(r =>
                r.Scope is not null
                && (r.Pattern.Contains('{', StringComparison.Ordinal) || (r.Body is not null && Ids().IsMatch(r.Body)))
            )
            .ToList();
        Assert.NotEmpty(routes);
        foreach (var route in routes)
        {
            var nobodys = Guid.CreateVersion7();
            var expected = await SendAsync(client, route, nobodys);
            foreach (var thing in things)
            {
                var actual = await SendAsync(client, route, thing.Id);
                if (actual.Status != expected.Status || Plain(actual, thing.Id) != Plain(expected, nobodys))
                    differences.Add(
                        $"{role} {route} with a {thing.Type}: {actual.Status} {actual.Code} instead of {expected.Status} {expected.Code}"
                    );
            }
        }
        return differences;
    }

    private static string Plain(Answer answer, Guid id) =>
        answer.Status is >= HttpStatusCode.OK and < HttpStatusCode.BadRequest
        && !answer.Text.Contains("code", StringComparison.Ordinal)
            ? Times()
                .Replace(
                    Ids().Replace(answer.Text.Replace(id.ToString(), "ID", StringComparison.Ordinal), "ID"),
                    "TIME"
                )
            : answer.Code ?? "";

    private static async Task<Answer> SendAsync(HttpClient client, Route route, Guid id)
    {
        var path = Parameters()
            .Replace(route.Pattern, m => m.Value.Contains(":guid", StringComparison.Ordinal) ? id.ToString() : "none");
        using var request = new HttpRequestMessage(new HttpMethod(route.Method), path);
        if (route.Body is not null)
            request.Content = new StringContent(
                Ids().Replace(route.Body, id.ToString()),
                Encoding.UTF8,
                new MediaTypeHeaderValue("application/json")
            );
        using var answer = await client.SendAsync(request, Cancellation);
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        string? code = null;
        if (!answer.IsSuccessStatusCode && text.StartsWith('{'))
            code = CodeOf(JsonNode.Parse(text));
        return new Answer(answer.StatusCode, code, text);
    }

    private static string? CodeOf(JsonNode? body) =>
        body is JsonObject @object
            ? ((@object["code"] ?? (@object["error"] as JsonObject)?["code"]) as JsonValue)?.ToString()
            : null;

    // Whatever the examples of the routes make is made, so that a new kind of thing is there as soon as a route makes it.
    private async Task FillAsync(TestOrganization organization)
    {
        foreach (
            var route in Routes()
                .Where(r =>
                    r.Method == "POST" && r.Scope is not null && !r.Pattern.Contains('{', StringComparison.Ordinal)
                )
        )
            await SendAsync(organization.Clients[Role.Admin], route, Guid.CreateVersion7());
        await FillWithModelsAsync(organization.Clients[Role.Admin]);
        using var export = await organization.Clients[Role.Admin].GetAsync("/api/audit/export", Cancellation);
        await export.Content.ReadAsByteArrayAsync(Cancellation);
    }

    // These name each other, so that no example can make them.
    private static async Task FillWithModelsAsync(HttpClient administrator)
    {
        var provider = await administrator.PostJsonAsync("/api/providers", new { name = "filled", kind = "simulator" });
        var deployment = await administrator.PostJsonAsync(
            "/api/deployments",
            new
            {
                name = "filled",
                providerId = provider["id"],
                model = "filled-*",
            }
        );
        await administrator.PostJsonAsync(
            "/api/models",
            new
            {
                name = "filled",
                tiers = new[] { new { deployments = new[] { new { deploymentId = deployment["id"] } } } },
            }
        );
    }

    private async Task<IReadOnlyList<Thing>> IdsAsync(TestOrganization organization, Func<string, bool> ofType)
    {
        await using var source = NpgsqlDataSource.Create(host.ConnectionString);
        await using var command = source.CreateCommand(
            """
            select stream_type, stream_id from (
                select stream_type, stream_id, row_number() over (partition by stream_type order by stream_id) as n
                from (select distinct stream_type, stream_id from platform.events where tenant_id = $1) s
            ) n where n.n <= 5
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = organization.Id });
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var things = new List<Thing>();
        while (await reader.ReadAsync(Cancellation))
            things.Add(new Thing(reader.GetString(0), reader.GetGuid(1)));
        return [.. things.Where(t => ofType(t.Type))];
    }

    private async Task<TestOrganization> OrganizationAsync()
    {
        var documents = host.Services.GetRequiredService<DocumentStore>();
        var tokens = host.Services.GetRequiredService<AccessTokens>();
        var now = TimeProvider.System.GetUtcNow();
        var id = Guid.CreateVersion7();
        var people = Roles.ToDictionary(r => r, _ => Guid.CreateVersion7());
        await documents.CreateAsync(
            new AppendContext(id, "system:test", ""),
            [
                documents.New<Organization>(id, new OrganizationCreated("Another", now)),
                .. people.Select(p =>
                    documents.New<User>(p.Value, new UserCreated($"{p.Value:N}@example.org", p.Key, now))
                ),
                documents.New<Login>(
                    Guid.CreateVersion7(),
                    new LoginSucceeded(
                        people[Role.Admin],
                        LoginMethod.Password,
                        ["pwd"],
                        ClientId: null,
                        Scopes: null,
                        "127.0.0.1",
                        UserAgent: null,
                        now,
                        now.AddHours(1)
                    )
                ),
            ],
            [],
            Cancellation
        );
        var clients = people.ToDictionary(
            p => p.Key,
            p =>
                host.As(
                    tokens.Issue(
                        new AccessToken
                        {
                            Id = Guid.CreateVersion7(),
                            Subject = p.Value,
                            OrganizationId = id,
                            ClientId = "verbatim",
                            Roles = [RoleScopes.NameOf(p.Key)],
                            Scopes = [.. RoleScopes.Of(p.Key)],
                            IssuedAt = now,
                            NotBefore = now,
                            ExpiresAt = now.AddMinutes(15),
                        }
                    )
                )
        );
        return new TestOrganization(id, people, clients);
    }

    [GeneratedRegex(
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex Ids();

    [GeneratedRegex(
        @"\{[^}]+\}",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking
    )]
    private static partial Regex Parameters();

    [GeneratedRegex(
        @"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|\+00:00)",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking
    )]
    private static partial Regex Times();
}
