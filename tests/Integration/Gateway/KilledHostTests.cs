using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway;

/// <summary>The server as a user runs it, a process with its private Postgres, killed in the middle of its work.</summary>
public sealed class KilledHostTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_kill_in_the_middle_of_100_calls_every_answer_is_on_record_and_every_open_intent_is_unknown()
    {
        using var home = new TemporaryHome();
        var answered = new List<Guid>();
        string key;
        await using (var first = await HostProcess.StartAsync(home.Path, Cancellation))
        {
            key = first.PrintedKey!;
            using var client = first.Client(key);
            var calls = Enumerable
                .Range(0, 100)
                .Select(i => CallAsync(client, $"simulator:delay={i * 20}ms", answered))
                .ToList();
            // Half have been answered, the others are on their way or at the simulator.
            while (Count(answered) < 40)
                await Task.WhenAny(calls.Where(c => !c.IsCompleted));
            first.Kill();
            await Task.WhenAll(calls);
        }
        Assert.InRange(answered.Count, 40, 99);

        await using var second = await HostProcess.StartAsync(home.Path, Cancellation);
        Assert.Null(second.PrintedKey);
        using var auditor = second.Client(key);
        var statuses = new Dictionary<Guid, string>();
        string? cursor = null;
        do
        {
            var page = (
                await auditor.GetFromJsonAsync<JsonNode>(
                    $"/api/audit/streams?type=inference&limit=50{cursor}",
                    Cancellation
                )
            )!;
            foreach (var stream in page["data"]!.AsArray())
            {
                var id = stream!["streamId"]!.GetValue<Guid>();
                var state = await auditor.GetFromJsonAsync<JsonNode>($"/api/audit/streams/{id}/state", Cancellation);
                statuses.Add(id, state!["state"]!["status"]!.GetValue<string>());
            }
            cursor = page["nextCursor"] is { } next ? "&cursor=" + next.GetValue<string>() : null;
        } while (cursor is not null);

        Assert.All(answered, id => Assert.Equal("completed", statuses[id]));
        Assert.Contains("unknown", statuses.Values);
        Assert.DoesNotContain("started", statuses.Values);
    }

    [Fact]
    public async Task After_a_kill_in_the_middle_of_an_upload_what_became_of_it_is_unknown()
    {
        using var home = new TemporaryHome();
        using var provider = new TcpListener(IPAddress.Loopback, 0);
        provider.Start();
        var settings = new[]
        {
            $"--Gateway:Deployments:silent:BaseUrl=http://{provider.LocalEndpoint}/v1",
            "--Gateway:Deployments:silent:Model=gpt-*",
        };
        string key;
        await using (var first = await HostProcess.StartAsync(home.Path, Cancellation, settings))
        {
            key = first.PrintedKey!;
            using var client = first.Client(key);
            using var form = new MultipartFormDataContent
            {
                { new StringContent("user_data"), "purpose" },
                { new StringContent(new string('a', 100_000)), "file", "a.txt" },
            };
            var upload = client.PostAsync("/v1/files", form, Cancellation);
            // The provider is connected to once the intent is durable, and never answers.
            using var connection = await provider.AcceptSocketAsync(Cancellation);
            first.Kill();
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => upload);
        }

        await using var second = await HostProcess.StartAsync(home.Path, Cancellation, settings);
        using var auditor = second.Client(key);
        var page = await auditor.GetFromJsonAsync<JsonNode>("/api/audit/streams?type=provider-file", Cancellation);
        var id = Assert.Single(page!["data"]!.AsArray())!["streamId"]!.GetValue<Guid>();
        var state = await auditor.GetFromJsonAsync<JsonNode>($"/api/audit/streams/{id}/state", Cancellation);
        Assert.Equal("unknown", state!["state"]!["status"]!.GetValue<string>());
        var files = await auditor.GetFromJsonAsync<JsonNode>("/v1/files", Cancellation);
        Assert.Empty(files!["data"]!.AsArray());
    }

    private static int Count(List<Guid> answered)
    {
        lock (answered)
            return answered.Count;
    }

    private static async Task CallAsync(HttpClient client, string model, List<Guid> answered)
    {
        try
        {
            using var answer = await client.PostAsJsonAsync(
                "/v1/chat/completions",
                new { model, messages = new[] { new { role = "user", content = "Hello" } } },
                Cancellation
            );
            await answer.Content.ReadAsByteArrayAsync(Cancellation);
            lock (answered)
                answered.Add(Guid.Parse(answer.Headers.GetValues(GatewayHost.InferenceIdHeader).Single()));
        }
        catch (HttpRequestException)
        {
            // The server was killed before it answered this one.
        }
    }
}
