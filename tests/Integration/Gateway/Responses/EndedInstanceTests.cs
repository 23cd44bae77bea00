using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;
using Verbatim.Tests.Upstream;
using static Verbatim.Tests.Integration.Gateway.Responses.Background;

namespace Verbatim.Tests.Integration.Gateway.Responses;

/// <summary>What becomes of responses in the background when the instance that makes them ends.</summary>
public sealed class EndedInstanceTests(SharedPostgres postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_instances_responses_have_failed_and_their_streams_end_and_nothing_is_asked_for_twice()
    {
        await using var provider = await FakeProvider.StartAsync(cancellationToken: Cancellation);
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        await using var survivor = await VerbatimHost.StartAsync(database, Settings(provider));
        var key = await survivor.CreateApiKeyAsync(cancellationToken: Cancellation);
        using var client = survivor.As(key);
        using var home = new TemporaryHome();
        var (whole, streamed) = (Guid.NewGuid().ToString(), Guid.NewGuid().ToString());
        string id;
        List<JsonNode> seen = [];
        HttpResponseMessage followed;
        await using (
            var victim = await HostProcess.StartAsync(
                home.Path,
                Cancellation,
                [
                    $"--ConnectionStrings:Postgres={database}",
                    $"--Secrets:MasterKey={Convert.ToBase64String(new byte[32])}",
                    .. Settings(provider).Select(s => $"--{s.Key}={s.Value}"),
                ]
            )
        )
        {
            using var there = victim.Client(key);
            id = IdOf(await CreateAsync(there, Body("gpt-fake@hold-after=request", whole)));
            using var answer = await PostAsync(
                there,
                ResponsesPath,
                Body("gpt-fake@hold-after=4", streamed, stream: true)
            );
            await foreach (var @event in EventsAsync(answer))
            {
                seen.Add(@event);
                if (TypeOf(@event) == "response.output_text.delta")
                    break;
            }
            foreach (var marker in (string[])[whole, streamed])
                await (await provider.Requests.FirstAsync(marker, Cancellation)).HeldAsync(Cancellation);
            followed = await FollowAsync(client, IdOf(seen[0]["response"]!), NumberOf(seen[^1]));
            victim.Kill();
        }

        using (followed)
        {
            await foreach (var @event in EventsAsync(followed))
                seen.Add(@event);
        }
        Assert.Equal(Enumerable.Range(0, seen.Count), seen.Select(NumberOf));
        Assert.Equal("response.failed", TypeOf(seen[^1]));
        foreach (var failed in (JsonNode[])[seen[^1]["response"]!, await EndedAsync(client, id)])
        {
            Assert.Equal("failed", StatusOf(failed));
            Assert.Equal("server_error", failed["error"]!["code"]!.GetValue<string>());
            Assert.Contains("instance", failed["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.True(JsonNode.DeepEquals(failed, await GetAsync(client, IdOf(failed))));
        }
        Assert.Equal(
            seen.Select(e => e.ToJsonString()),
            (await AllAsync(client, IdOf(seen[^1]["response"]!))).Select(e => e.ToJsonString())
        );
        Assert.Single(provider.Requests.Of(whole));
        Assert.Single(provider.Requests.Of(streamed));
        // A response that was lost can be deleted as any other.
        using var deleted = await client.DeleteAsync($"{ResponsesPath}/{id}", Cancellation);
        Assert.True(deleted.IsSuccessStatusCode);
    }

    [Fact]
    public async Task An_instance_that_stops_lets_short_ones_end_and_ends_long_ones_as_failed()
    {
        await using var provider = await FakeProvider.StartAsync(cancellationToken: Cancellation);
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        await using var survivor = await VerbatimHost.StartAsync(database, Settings(provider));
        var key = await survivor.CreateApiKeyAsync(cancellationToken: Cancellation);
        using var client = survivor.As(key);
        var marker = Guid.NewGuid().ToString();
        string brief;
        string lengthy;
        string stream;
        await using (var stopping = await VerbatimHost.StartAsync(database, Settings(provider)))
        {
            using var there = stopping.As(key);
            brief = IdOf(await CreateAsync(there, Body("gpt-fake@delay-ms=1500", "Hello")));
            lengthy = IdOf(await CreateAsync(there, Body("gpt-fake@hold-after=request", marker)));
            using var answer = await PostAsync(
                there,
                ResponsesPath,
                Body("gpt-fake@hold-after=4", marker, stream: true)
            );
            await using var events = EventsAsync(answer).GetAsyncEnumerator(Cancellation);
            Assert.True(await events.MoveNextAsync());
            stream = IdOf(events.Current["response"]!);
            await provider.Requests.FirstAsync(marker, 2, Cancellation);
        }

        // All is known when it has stopped: nobody has to find out that it is gone.
        Assert.Equal("completed", StatusOf(await GetAsync(client, brief)));
        var failed = await GetAsync(client, lengthy);
        Assert.Equal("failed", StatusOf(failed));
        Assert.Contains("stopped", failed["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        var all = await AllAsync(client, stream);
        Assert.Equal("response.failed", TypeOf(all[^1]));
        Assert.All(provider.Requests.Of(marker), r => Assert.Equal(ExchangeOutcome.ClientLeft, r.Outcome));
    }

    private static Dictionary<string, string> Settings(FakeProvider provider) =>
        new(StringComparer.Ordinal)
        {
            ["Gateway:Deployments:fake:BaseUrl"] = provider.BaseAddress.ToString(),
            ["Gateway:Deployments:fake:Model"] = "gpt-*",
            ["Gateway:OllamaUrl"] = "",
        };
}
