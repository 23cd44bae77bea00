using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Npgsql;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration;

/// <summary>
/// What CONTRIBUTING.md promises: a feature is one folder. Puts the folder of docs/sample-feature into a copy of the sources, changes nothing
/// else, builds, starts that Host, and uses the feature.
/// </summary>
public sealed partial class FeatureFolderTests(SharedPostgres postgres) : IAsyncLifetime
{
    private const string Sample = "docs/sample-feature";

    private readonly TemporaryHome _copy = new();
    private Process? _host;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_feature_is_one_folder_that_is_put_in_and_works()
    {
        CopyFolder("src");
        CopyFolder("tests/Upstream");
        foreach (
            var file in (string[])["global.json", "Directory.Build.props", "Directory.Packages.props", ".editorconfig"]
        )
            CopyFile(file, file);
        CopyFile("tests/Unit/Unit.csproj", "tests/Unit/Unit.csproj");
        // All that a developer adds.
        foreach (var file in Directory.GetFiles(Path.Combine(Repository.Root, Sample, "Labels")))
            CopyFile(file, $"src/Modules/Gateway/Labels/{Path.GetFileName(file)}");
        CopyFile($"{Sample}/LabelTests.cs", "tests/Unit/Gateway/Labels/LabelTests.cs");

        await RunAsync("build", "tests/Unit/Unit.csproj", "-nodeReuse:false", "-p:UseSharedCompilation=false");
        var unitTests = await RunAsync("tests/Unit/bin/Debug/net10.0/Verbatim.Tests.Unit.dll", "-noColor");
        Assert.Contains("Total: 3, Errors: 0, Failed: 0", unitTests, StringComparison.Ordinal);

        var database = await postgres.CreateDatabaseAsync(Cancellation);
        var (address, key) = await StartHostAsync(database);
        using var client = new HttpClient { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);

        // Its routes, with validation, idempotency and its refusals.
        var label = await CreateLabelAsync(client, "billing", HttpStatusCode.Created);
        var again = await CreateLabelAsync(client, "billing", HttpStatusCode.Created);
        Assert.Equal(label["id"]!.GetValue<string>(), again["id"]!.GetValue<string>());
        var invalid = await CreateLabelAsync(client, "Not A Label", HttpStatusCode.BadRequest);
        Assert.Equal("validation-failed", invalid["code"]!.GetValue<string>());
        var taken = await CreateLabelAsync(client, "billing", HttpStatusCode.Conflict, key: "another key");
        Assert.Equal("gateway.label-exists", taken["code"]!.GetValue<string>());
        var route = label["id"]!.GetValue<string>();
        using (
            var described = await client.PostAsJsonAsync(
                $"/api/labels/{route}/description",
                new { description = "Calls of the billing job" },
                Cancellation
            )
        )
            Assert.Equal(HttpStatusCode.NoContent, described.StatusCode);

        // Its entry in the API's description.
        var paths = (await client.GetFromJsonAsync<JsonNode>("/openapi/v1.json", Cancellation))!["paths"]!;
        Assert.Equal("Make a label", paths["/api/labels"]!["post"]!["summary"]!.GetValue<string>());
        Assert.Equal("getLabel", paths["/api/labels/{id}"]!["get"]!["operationId"]!.GetValue<string>());

        // Its document's table and its own SQL.
        await using var source = NpgsqlDataSource.Create(database);
        await using (var table = source.CreateCommand("select data ->> 'description' from documents.label"))
            Assert.Equal("Calls of the billing job", await table.ExecuteScalarAsync(Cancellation));
        await using (var index = source.CreateCommand("select to_regclass('documents.label_name')::text"))
            Assert.Equal("documents.label_name", await index.ExecuteScalarAsync(Cancellation));

        // Its message handler.
        await CallModelAsync(client, clientRequestId: "billing:1");
        await CallModelAsync(client, clientRequestId: "research:1");
        JsonNode read;
        do read = (await client.GetFromJsonAsync<JsonNode>($"/api/labels/{route}", Cancellation))!;
        while (read["calls"]!.GetValue<int>() == 0);
        Assert.Equal(1, read["calls"]!.GetValue<int>());

        // And its record, for auditors.
        var stream = (await client.GetFromJsonAsync<JsonNode>($"/api/audit/streams/{route}", Cancellation))!;
        Assert.Equal(
            ["gateway.label-created", "gateway.label-described"],
            stream["data"]!.AsArray().Select(e => e!["type"]!.GetValue<string>())
        );
    }

    [Fact]
    public async Task What_CONTRIBUTING_shows_of_the_feature_is_the_feature()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "CONTRIBUTING.md"), Cancellation);
        var files = Directory
            .EnumerateFiles(Path.Combine(Repository.Root, Sample), "*", SearchOption.AllDirectories)
            .Select(File.ReadAllText)
            .ToList();

        var shown = CodeBlock().Matches(text).Select(m => m.Groups["code"].Value.Trim()).ToList();

        Assert.NotEmpty(shown);
        Assert.All(shown, code => Assert.Contains(files, file => file.Contains(code, StringComparison.Ordinal)));
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_host is { HasExited: false })
        {
            _host.Kill();
            await _host.WaitForExitAsync(CancellationToken.None);
        }
        _host?.Dispose();
        _copy.Dispose();
    }

    private static async Task<JsonNode> CreateLabelAsync(
        HttpClient client,
        string name,
        HttpStatusCode expected,
        string key = "a key of this test"
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/labels")
        {
            Content = JsonContent.Create(new { name }),
            Headers = { { "Idempotency-Key", (key + name).Replace(' ', '-') } },
        };
        using var response = await client.SendAsync(request, Cancellation);
        var body = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == expected, $"{(int)response.StatusCode} {body}");
        return JsonNode.Parse(body)!;
    }

    private static async Task CallModelAsync(HttpClient client, string clientRequestId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = JsonContent.Create(
                new { model = "simulator", messages = new[] { new { role = "user", content = "Hello!" } } }
            ),
            Headers = { { "x-client-request-id", clientRequestId } },
        };
        using var response = await client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private async Task<(Uri Address, string Key)> StartHostAsync(string database)
    {
        _host = Process.Start(
            Dotnet(
                "src/Host/bin/Debug/net10.0/Verbatim.Host.dll",
                "--urls",
                "http://127.0.0.1:0",
                "--ConnectionStrings:Postgres",
                database,
                "--VERBATIM_HOME",
                _copy.File("home")
            )
        )!;
        var output = new StringBuilder();
        while (await _host.StandardOutput.ReadLineAsync(Cancellation) is { } line)
        {
            output.AppendLine(line);
            if (Ready().Match(line) is { Success: true } ready)
                return (new Uri(ready.Groups["address"].Value), Key().Match(output.ToString()).Value);
        }
        throw new InvalidOperationException($"The Host did not start:\n{output}");
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(Dotnet(arguments))!;
        // Read to the end, or the process may wait for somebody to read.
        var output = process.StandardOutput.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"dotnet {string.Join(' ', arguments)} failed:\n{await output}");
    }

    private ProcessStartInfo Dotnet(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = _copy.Path,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        // What the build of these tests told itself is not meant for this one.
        foreach (
            var name in start
                .Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase))
                .ToList()
        )
            start.Environment.Remove(name);
        start.Environment.Remove("OPENAI_API_KEY");
        return start;
    }

    private void CopyFolder(string folder)
    {
        foreach (
            var file in Directory.EnumerateFiles(
                Path.Combine(Repository.Root, folder),
                "*",
                SearchOption.AllDirectories
            )
        )
        {
            var path = Path.GetRelativePath(Repository.Root, file);
            if (!path.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "node_modules"))
                CopyFile(path, path);
        }
    }

    private void CopyFile(string from, string to)
    {
        var target = _copy.File(to);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(Path.Combine(Repository.Root, from), target);
    }

    [GeneratedRegex(
        "^Verbatim is ready on (?<address>[^ ,]+)",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Ready();

    [GeneratedRegex("vk_[0-9A-Za-z]{43}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Key();

    [GeneratedRegex("```(csharp|sql)\n(?<code>[^`]*)```", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CodeBlock();
}
