using System.Net;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Platform.Http;

namespace Verbatim.Tests.Integration.Http;

public sealed class OpenApiTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private const string Update = "UPDATE_SNAPSHOTS=1 dotnet run --project tests/Integration -- -class *.OpenApiTests";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_document_is_the_committed_snapshot()
    {
        using var anyone = host.AsAnyone();
        var served = await anyone.GetStringAsync("/openapi/v1.json", Cancellation);
        var snapshot = Path.Combine(RepositoryRoot(), "docs", "openapi.json");
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") is "1")
            await File.WriteAllTextAsync(snapshot, served, Cancellation);

        var committed = File.Exists(snapshot) ? await File.ReadAllTextAsync(snapshot, Cancellation) : "";

        if (served != committed)
            Assert.Fail(
                $"The API is not what docs/openapi.json says:\n{FirstDifference(committed, served)}\n"
                    + $"If that is meant, update the snapshot and commit it:\n{Update}"
            );
    }

    [Fact]
    public async Task The_document_is_openapi_3_1_and_names_no_machine()
    {
        var document = await ReadAsync();

        Assert.StartsWith("3.1.", document["openapi"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Null(document["servers"]);
        var text = document.ToJsonString();
        Assert.DoesNotContain(host.Address.Authority, text, StringComparison.Ordinal);
        Assert.DoesNotContain("localhost", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Environment.MachineName, text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Every_route_of_the_host_is_in_the_document_or_says_why_not()
    {
        var described = (await OperationsAsync()).Select(o => o.Name).ToHashSet(StringComparer.Ordinal);

        var missing = host
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is null)
            .SelectMany(e =>
                (e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["*"]).Select(method =>
                    $"{method.ToLowerInvariant()} {PathOf(e)}"
                )
            )
            .Where(name => !described.Contains(name))
            // Swagger UI itself.
            .Where(name => !name.StartsWith("* /docs", StringComparison.Ordinal));

        Assert.Empty(missing);
    }

    [Fact]
    public async Task Every_operation_tells_what_a_stranger_needs()
    {
        var faults = new List<string>();
        foreach (var (name, operation) in await OperationsAsync())
        {
            foreach (var part in (string[])["summary", "description", "operationId"])
                if (operation[part]?.GetValue<string>() is not { Length: > 0 })
                    faults.Add($"{name} has no {part}.");
            if (operation["tags"] is not JsonArray { Count: 1 })
                faults.Add($"{name} must have one tag (WithTags).");
            foreach (var parameter in operation["parameters"]?.AsArray() ?? [])
                if (parameter!["description"] is null && parameter["$ref"] is null)
                    faults.Add($"{name}: the parameter {parameter["name"]} has no description ([Description]).");
            if (operation["requestBody"]?["content"] is { } request)
                faults.AddRange(WithoutExample(request).Select(t => $"{name}: the request {t} has no example."));

            var responses = operation["responses"]!.AsObject();
            if (!responses.Any(r => r.Key[0] == '2'))
                faults.Add($"{name} has no successful response.");
            foreach (var (status, response) in responses.Where(r => r.Value!["$ref"] is null))
            {
                faults.AddRange(
                    WithoutExample(response!["content"]).Select(t => $"{name}: the {status} {t} has no example.")
                );
                if (response["headers"]?["x-request-id"] is null)
                    faults.Add($"{name}: the {status} does not show x-request-id.");
            }
        }

        Assert.Empty(faults);
    }

    [Fact]
    public async Task Every_schema_and_every_property_of_it_has_a_description()
    {
        var schemas = (await ReadAsync())["components"]!["schemas"]!.AsObject();

        var silent = schemas
            .Where(s => s.Value!["description"] is null)
            .Select(s => s.Key)
            .Concat(
                schemas.SelectMany(s =>
                    (s.Value!["properties"]?.AsObject() ?? [])
                        // A reference may leave the word to what it refers to.
                        .Where(p => !p.Value!.ToJsonString().Contains("\"description\"", StringComparison.Ordinal))
                        .Where(p => !p.Value!.ToJsonString().Contains("\"$ref\"", StringComparison.Ordinal))
                        .Select(p => $"{s.Key}.{p.Key}")
                )
            );

        Assert.Empty(silent);
    }

    [Fact]
    public async Task Operation_ids_are_unique()
    {
        var ids = (await OperationsAsync()).Select(o => o.Operation["operationId"]!.GetValue<string>()).ToList();

        Assert.Equal(ids.Distinct(StringComparer.Ordinal), ids);
    }

    [Fact]
    public async Task Each_operation_demands_the_scope_that_its_route_declares()
    {
        var documented = (await OperationsAsync()).ToDictionary(
            o => o.Name,
            o => string.Join(',', o.Operation["security"]!.AsArray().SelectMany(ScopesOf)),
            StringComparer.Ordinal
        );

        var declared = host
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<IHttpMethodMetadata>() is not null)
            .Where(e => e.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is null)
            .ToDictionary(
                e => $"{e.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods[0].ToLowerInvariant()} {PathOf(e)}",
                // Either credential, with the same scope.
                e =>
                    e.Metadata.GetMetadata<RouteScope>() is { Scope: { } scope }
                        ? $"bearer:{scope},apiKey:{scope}"
                        : "",
                StringComparer.Ordinal
            );
        Assert.Equivalent(declared, documented, strict: true);
    }

    [Fact]
    public async Task Chat_completions_answer_as_json_and_as_a_stream()
    {
        var content = (await ReadAsync())["paths"]!["/v1/chat/completions"]!["post"]!["responses"]!["200"]!["content"]!;

        Assert.Equal("simulator", content["application/json"]!["example"]!["model"]!.GetValue<string>());
        var stream = content["text/event-stream"]!["example"]!.GetValue<string>();
        Assert.StartsWith("data: {", stream, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", stream, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_examples_are_accepted()
    {
        var path = (await ReadAsync())["paths"]!;
        using var administrator = await host.AsAdministratorAsync(Cancellation);

        foreach (var route in (string[])["/api/users", "/api/api-keys"])
        {
            var body = path[route]!["post"]!["requestBody"]!["content"]!["application/json"]!["example"]!;
            using var response = await administrator.PostAsJsonAsync(route, body, Cancellation);
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("/api/api-keys?limit=0", HttpStatusCode.BadRequest, "Problem")]
    [InlineData("/api/api-keys/0198c8a4-2f6b-7d0e-9a51-c3e07b64d218", HttpStatusCode.NotFound, "Problem")]
    [InlineData("/v1/models/no-such-model", HttpStatusCode.NotFound, "OpenAiError")]
    public async Task Errors_have_the_fields_that_the_document_promises(
        string route,
        HttpStatusCode status,
        string schema
    )
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var response = await administrator.GetAsync(route, Cancellation);
        var error = (await response.Content.ReadFromJsonAsync<JsonObject>(Cancellation))!;

        var promised = (await ReadAsync())["components"]!["schemas"]![schema]!;

        Assert.Equal(status, response.StatusCode);
        var required = promised["required"]!.AsArray().Select(r => r!.GetValue<string>());
        Assert.Subset(
            error.Select(e => e.Key).ToHashSet(StringComparer.Ordinal),
            required.ToHashSet(StringComparer.Ordinal)
        );
        var known = promised["properties"]!.AsObject().Select(p => p.Key).ToHashSet(StringComparer.Ordinal);
        Assert.Subset(known, error.Select(e => e.Key).ToHashSet(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_client_that_has_the_document_is_told_so()
    {
        using var anyone = host.AsAnyone();
        using var first = await anyone.GetAsync("/openapi/v1.json", Cancellation);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/openapi/v1.json");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        using var second = await anyone.SendAsync(again, Cancellation);

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Fact]
    public async Task The_reference_for_people_loads_nothing_from_elsewhere()
    {
        using var anyone = host.AsAnyone();
        using var page = await anyone.GetAsync("/docs/index.html", Cancellation);
        var html = await page.Content.ReadAsStringAsync(Cancellation);
        var script = await anyone.GetStringAsync("/docs/index.js", Cancellation);

        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        Assert.DoesNotContain("//", html.Replace("<!--", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("\"url\":\"/openapi/v1.json\"", script, StringComparison.Ordinal);
        Assert.StartsWith(
            "default-src 'self'",
            page.Headers.GetValues("Content-Security-Policy").Single(),
            StringComparison.Ordinal
        );
        foreach (var asset in (string[])["swagger-ui.css", "index.css", "swagger-ui-bundle.js"])
        {
            using var loaded = await anyone.GetAsync("/docs/" + asset, Cancellation);
            Assert.Equal(HttpStatusCode.OK, loaded.StatusCode);
        }
    }

    private async Task<JsonNode> ReadAsync()
    {
        using var anyone = host.AsAnyone();
        return (await anyone.GetFromJsonAsync<JsonNode>("/openapi/v1.json", Cancellation))!;
    }

    private async Task<List<(string Name, JsonNode Operation)>> OperationsAsync() =>
        [
            .. (await ReadAsync())["paths"]!
                .AsObject()
                .SelectMany(path =>
                    path.Value!.AsObject().Select(operation => ($"{operation.Key} {path.Key}", operation.Value!))
                ),
        ];

    private static IEnumerable<string> WithoutExample(JsonNode? content) =>
        (content?.AsObject() ?? [])
            .Where(c => c.Value!["example"] is null && c.Value["examples"] is null)
            .Select(c => c.Key);

    private static IEnumerable<string> ScopesOf(JsonNode? requirement) =>
        requirement!.AsObject().SelectMany(r => r.Value!.AsArray().Select(scope => $"{r.Key}:{scope}"));

    // As OpenAPI writes it: without constraints, and without the mark of a parameter that takes the rest of a path.
    private static string PathOf(RouteEndpoint endpoint) =>
        "/"
        + string.Join(
            '/',
            endpoint.RoutePattern.PathSegments.Select(segment =>
                string.Concat(
                    segment.Parts.Select(part =>
                        part switch
                        {
                            Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
                            Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart named =>
                                $"{{{named.Name}}}",
                            _ => "",
                        }
                    )
                )
            )
        );

    private static string FirstDifference(string committed, string served)
    {
        var before = committed.Split('\n');
        var now = served.Split('\n');
        var line = before.Zip(now).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"line {line + 1}: '{before.ElementAtOrDefault(line)?.Trim()}' became '{now.ElementAtOrDefault(line)?.Trim()}'";
    }

    private static string RepositoryRoot([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", ".."));
}
