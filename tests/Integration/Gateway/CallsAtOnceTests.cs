using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Platform.Postgres;
using Verbatim.Tests.Integration.Gateway.Conformance;
using Verbatim.Tests.Integration.Gateway.Responses;

namespace Verbatim.Tests.Integration.Gateway;

/// <summary>
/// Several people at two instances do everything that there is at the same time, each with words of their own. Nobody gets another's words, nobody
/// waits for ever, and each call ends on record once, also when the connections to the database break meanwhile.
/// </summary>
public sealed class CallsAtOnceTests(ConformanceHost gateway) : IClassFixture<ConformanceHost>
{
    private const int People = 4;
    private const int CallsEach = 60;
    private const int AtOnceEach = 8;

    private static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(60);

    private static readonly (string Wire, string Path)[] Wires =
    [
        ("chat", "/v1/chat/completions"),
        ("responses", "/v1/responses"),
        ("messages", "/v1/messages"),
    ];

    // Calls that the server began and answered, with what they said.
    private readonly ConcurrentDictionary<Guid, string> _answered = new();

    private int _unavailable;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Everybody_gets_their_own_and_every_call_ends_on_record(bool connectionsBreak)
    {
        await using var other = await gateway.StartAnotherAsync();
        var people = new List<HttpClient>();
        for (var i = 0; i < People; i++)
            people.Add(await (i % 2 == 0 ? gateway.Host : other).AsNewAsync("user", Cancellation));

        using var done = new CancellationTokenSource();
        var breaking = connectionsBreak ? BreakConnectionsAsync(done.Token) : Task.CompletedTask;
        await Task.WhenAll(people.Select(DoEverythingAsync));
        await done.CancelAsync();
        await breaking;
        // Those that broke while they were idle.
        var database = gateway.Host.Services.GetRequiredService<Database>();
        database.Writes.Clear();
        database.Lookups.Clear();

        Assert.True(connectionsBreak || _unavailable == 0, $"{_unavailable} calls were refused.");
        Assert.InRange(_answered.Count, People * CallsEach / 4, People * CallsEach);
        await AllEndedAsync();
        foreach (var (id, words) in _answered)
        {
            var record = await gateway.RecordOfAsync(id, Cancellation);
            Assert.Equal(2, record.Count);
            Assert.Contains(words, await gateway.TextAsync(record[0], Cancellation), StringComparison.Ordinal);
            Assert.Contains(words, await gateway.TextAsync(record[1], Cancellation), StringComparison.Ordinal);
        }
        foreach (var person in people)
            person.Dispose();
    }

    private Task DoEverythingAsync(HttpClient client) =>
        Parallel.ForEachAsync(
            Enumerable.Range(0, CallsEach),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnceEach, CancellationToken = Cancellation },
            async (number, _) =>
            {
                var what = number % 8;
                try
                {
                    await DoAsync(client, what).WaitAsync(LongestCall, Cancellation);
                }
                catch (UnavailableException)
                {
                    Interlocked.Increment(ref _unavailable);
                }
                catch (TimeoutException)
                {
                    Assert.Fail($"What is number {what} did not end.");
                }
            }
        );

    private Task DoAsync(HttpClient client, int what) =>
        what switch
        {
            0 or 1 or 2 => AskAsync(client, stream: false),
            3 => AskAsync(client, stream: true),
            4 => AskAndLeaveAsync(client),
            5 => AskInBackgroundAsync(client),
            6 => FollowInBackgroundAsync(client),
            _ => SendFileAsync(client),
        };

    private async Task AskAsync(HttpClient client, bool stream)
    {
        var words = Words();
        var (wire, path) = Random.Shared.GetItems(Wires, 1)[0];
        using var answer = await PostAsync(client, path, Body(wire, words, stream));
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        var seen = stream ? Sighting.OfStream(wire, text) : Sighting.Of(wire, JsonNode.Parse(text)!);
        Assert.Null(seen.Error);
        Assert.Null(seen.Wrong);
        Assert.True(seen.IsWhole, text);
        Assert.Equal(words, seen.Text);
        Remember(answer, words);
    }

    private static async Task AskAndLeaveAsync(HttpClient client)
    {
        var (wire, path) = Random.Shared.GetItems(Wires, 1)[0];
        using var answer = await PostAsync(client, path, Body(wire, Words(), stream: true, ",chunk-delay-ms=20"));
        await using var stream = await answer.Content.ReadAsStreamAsync(Cancellation);
        _ = await stream.ReadAtLeastAsync(new byte[200], 200, throwOnEndOfStream: false, Cancellation);
    }

    private async Task AskInBackgroundAsync(HttpClient client)
    {
        var words = Words();
        using var created = await PostAsync(
            client,
            Background.ResponsesPath,
            Body("responses", words, stream: false, background: true)
        );
        var response = JsonNode.Parse(await created.Content.ReadAsStringAsync(Cancellation))!;
        var id = Background.IdOf(response);
        while (Background.StatusOf(response) is "queued" or "in_progress")
        {
            await Task.Delay(20, Cancellation);
            using var again = await GetAsync(client, $"{Background.ResponsesPath}/{id}");
            response = JsonNode.Parse(await again.Content.ReadAsStringAsync(Cancellation))!;
        }
        Assert.Equal("completed", Background.StatusOf(response));
        Assert.Equal(words, Background.TextOf(response));
        Remember(created, words);
    }

    private async Task FollowInBackgroundAsync(HttpClient client)
    {
        var words = Words();
        using var created = await PostAsync(
            client,
            Background.ResponsesPath,
            Body("responses", words, stream: true, ",chunk-delay-ms=5", background: true)
        );
        var seen = new List<JsonNode>();
        await foreach (var @event in Background.EventsAsync(created))
        {
            seen.Add(@event);
            if (seen.Count == 6)
                break;
        }
        var id = Background.IdOf(seen[0]["response"]!);
        using var followed = await GetAsync(
            client,
            $"{Background.ResponsesPath}/{id}?stream=true&starting_after={Background.NumberOf(seen[^1])}"
        );
        await foreach (var @event in Background.EventsAsync(followed))
            seen.Add(@event);
        Assert.Equal(Enumerable.Range(0, seen.Count), seen.Select(Background.NumberOf));
        Assert.Equal("response.completed", Background.TypeOf(seen[^1]));
        Assert.Equal(words, Background.Said(seen));
        Remember(created, words);
    }

    private static async Task SendFileAsync(HttpClient client)
    {
        var words = Words();
        using var form = new MultipartFormDataContent
        {
            { new StringContent("user_data"), "purpose" },
            { new StringContent(words), "file", "a.txt" },
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/files") { Content = form };
        request.Headers.Add("x-verbatim-provider", "of-openai");
        using var sent = await SendAsync(client, request);
        var id = Background.IdOf(JsonNode.Parse(await sent.Content.ReadAsStringAsync(Cancellation))!);
        using var content = await GetAsync(client, $"/v1/files/{id}/content");
        Assert.Equal(words, await content.Content.ReadAsStringAsync(Cancellation));
    }

    private void Remember(HttpResponseMessage answer, string words) =>
        Assert.True(
            _answered.TryAdd(Guid.Parse(answer.Headers.GetValues(GatewayHost.InferenceIdHeader).Single()), words)
        );

    private static string Words() =>
        string.Join(' ', Enumerable.Range(0, 12).Select(_ => Guid.NewGuid().ToString("N")[..7]));

    private static string Body(string wire, string words, bool stream, string commands = "", bool background = false)
    {
        var kind = Random.Shared.GetItems([.. ConformanceHost.Kinds.Keys], 1)[0];
        var body = new JsonObject
        {
            ["model"] = $"{ConformanceHost.Model(kind)}@text={Uri.EscapeDataString(words)}{commands}",
            ["stream"] = stream,
        };
        if (background)
            body["background"] = true;
        if (wire == "responses")
            body["input"] = words;
        else
            body["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = words });
        if (wire == "messages")
            body["max_tokens"] = 1000;
        return body.ToJsonString();
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string path, string body) =>
        SendAsync(
            client,
            new HttpRequestMessage(HttpMethod.Post, path)
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
            }
        );

    private static Task<HttpResponseMessage> GetAsync(HttpClient client, string path) =>
        SendAsync(client, new HttpRequestMessage(HttpMethod.Get, path));

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpRequestMessage request)
    {
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        if (response.StatusCode == HttpStatusCode.OK)
            return response;
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(
            response.StatusCode == HttpStatusCode.ServiceUnavailable,
            $"{request.RequestUri}: {(int)response.StatusCode} {text}"
        );
        Assert.NotEmpty(response.Headers.GetValues("Retry-After"));
        throw new UnavailableException();
    }

    private async Task BreakConnectionsAsync(CancellationToken cancellationToken)
    {
        await using var direct = NpgsqlDataSource.Create(gateway.Host.ConnectionString);
        while (!cancellationToken.IsCancellationRequested)
        {
            await using var command = direct.CreateCommand(
                """
                select count(pg_terminate_backend(pid)) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and application_name = 'verbatim'
                """
            );
            await command.ExecuteScalarAsync(Cancellation);
            await Task.Delay(700, CancellationToken.None);
        }
    }

    // Whoever left has no way to hear of it.
    private async Task AllEndedAsync()
    {
        await using var command = gateway
            .Host.Services.GetRequiredService<Database>()
            .Writes.CreateCommand(
                """
                select count(*) from (
                    select stream_id from platform.events where stream_type = 'inference'
                    group by stream_id having count(*) <> 2) as open
                """
            );
        var began = TimeProvider.System.GetTimestamp();
        while ((long)(await command.ExecuteScalarAsync(Cancellation))! is var open and > 0)
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(began) < LongestCall,
                $"{open} calls have no end on record."
            );
            await Task.Delay(100, Cancellation);
        }
    }

    private sealed class UnavailableException : Exception;
}
