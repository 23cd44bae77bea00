using System.Net;
using System.Text;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class RecordingTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private readonly FakeProvider _provider = fixture.Provider;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_kept_as_it_came()
    {
        var marker = Marker();
        byte[] body =
        [
            .. Encoding.UTF8.GetBytes(Wire.Chat("\"b\" : \"\\u00e9é\"  ").TrimEnd('}')),
            (byte)'\t',
            (byte)'}',
        ];
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            new Uri(_provider.BaseAddress, $"chat/completions?a=%20b&marker={marker}")
        );
        request.Content = new ByteArrayContent(body);
        request.Headers.TryAddWithoutValidation("X-Two", ["1", "2"]);
        request.Headers.Authorization = new("Bearer", "sk-key");
        using var response = await client.SendAsync(request, Cancelled);

        var received = Assert.Single(_provider.Requests.Of(marker));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("POST", received.Method);
        Assert.Equal($"/v1/chat/completions?a=%20b&marker={marker}", received.Path);
        Assert.Equal(body, received.Body.ToArray());
        Assert.Equal(Encoding.UTF8.GetString(body), received.BodyText);
        Assert.Equal("Bearer sk-key", received.Header("authorization"));
        Assert.Equal("1, 2", received.Header("x-two"));
        Assert.Null(received.Header("x-none"));
        Assert.Contains("Host", received.Headers.Keys);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_large_request_is_kept_without_its_framing(bool isChunked)
    {
        var marker = Marker();
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_provider.BaseAddress, "chat/completions"));
        request.Headers.TransferEncodingChunked = isChunked;
        var body = Wire.Chat($"\"padding\":\"{new string('x', 10_000_000)}{marker}\"");
        request.Content = new StringContent(body);
        using var response = await client.SendAsync(request, Cancelled);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(body, Assert.Single(_provider.Requests.Of(marker)).BodyText);
    }

    [Theory]
    [InlineData("path")]
    [InlineData("header")]
    [InlineData("body")]
    [InlineData("model")]
    public async Task A_request_is_found_by_a_marker_anywhere(string place)
    {
        var marker = Marker();
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            new Uri(_provider.BaseAddress, "chat/completions" + (place is "path" ? $"?{marker}" : ""))
        );
        request.Content = new StringContent(
            place switch
            {
                "body" => Wire.Chat($"\"user\":\"{marker}\""),
                "model" => Wire.Chat(model: $"gpt-fake@marker={marker}"),
                _ => Wire.Chat(),
            }
        );
        if (place is "header")
            request.Headers.Add("traceparent", $"00-{marker}-0000000000000001-00");
        using var response = await client.SendAsync(request, Cancelled);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Single(_provider.Requests.Of(marker));
        Assert.Empty(_provider.Requests.Of(Marker()));
    }

    [Fact]
    public async Task Parallel_requests_are_told_apart()
    {
        var markers = Enumerable.Range(0, 50).Select(static _ => Marker()).ToList();

        await Task.WhenAll(
            markers.Select(marker => _provider.TextAsync(Wire.Chat($"\"stream\":true,\"user\":\"{marker}\"")))
        );

        Assert.All(
            markers,
            marker =>
                Assert.Contains(marker, Assert.Single(_provider.Requests.Of(marker)).BodyText, StringComparison.Ordinal)
        );
        Assert.True(_provider.Requests.All.Count >= markers.Count);
    }

    [Fact]
    public async Task Waiting_for_requests_ends_when_they_have_arrived()
    {
        var marker = Marker();
        var first = _provider.Requests.FirstAsync(marker, Cancelled);
        var both = _provider.Requests.FirstAsync(marker, 2, Cancelled);
        Assert.False(first.IsCompleted);

        await _provider.TextAsync(Wire.Chat($"\"user\":\"{marker}\""));
        Assert.Contains(marker, (await first).BodyText, StringComparison.Ordinal);
        Assert.False(both.IsCompleted);

        await _provider.TextAsync(Wire.Chat($"\"user\":\"{marker}\""));
        Assert.Equal(2, (await both).Count);
        Assert.Equal(2, (await _provider.Requests.FirstAsync(marker, 2, Cancelled)).Count);
    }

    [Theory]
    [InlineData("false", 1)]
    [InlineData("true", 12)]
    public async Task What_was_sent_is_kept_too(string stream, int events)
    {
        var marker = Marker();
        var text = await _provider.TextAsync(Wire.Chat($"\"stream\":{stream},\"user\":\"{marker}\""));

        var request = Assert.Single(_provider.Requests.Of(marker));
        await request.Finished.WaitAsync(Cancelled);
        Assert.Equal((ExchangeOutcome.Answered, 200, events), (request.Outcome, request.Status, request.EventsWritten));
        Assert.Equal(text, Encoding.UTF8.GetString(request.SentBody));
        Assert.Equal(request.SentBody.Length, request.BytesWritten);
        Assert.NotNull(request.FinishedAt);
        Assert.Null(request.ClientLeftAt);
    }

    [Fact]
    public async Task Of_a_large_answer_the_beginning_is_kept()
    {
        var marker = Marker();
        var text = await _provider.TextAsync(
            Wire.Chat(
                $$"""
                "x_upstream":{"bytes":3000000,"marker":"{{marker}}"}
                """
            )
        );

        var request = Assert.Single(_provider.Requests.Of(marker));
        await request.Finished.WaitAsync(Cancelled);
        Assert.Equal(text.Length, request.BytesWritten);
        Assert.Equal(text[..ReceivedRequest.KeptBytes], Encoding.UTF8.GetString(request.SentBody));
    }

    [Fact]
    public async Task Waiting_for_events_that_never_come_fails()
    {
        var marker = Marker();
        await _provider.TextAsync(Wire.Chat($"\"user\":\"{marker}\""));
        var request = Assert.Single(_provider.Requests.Of(marker));
        await request.Finished.WaitAsync(Cancelled);

        await Assert.ThrowsAsync<InvalidOperationException>(() => request.EventsAsync(2, Cancelled));
        await Assert.ThrowsAsync<InvalidOperationException>(() => request.HeldAsync(Cancelled));
    }

    [Fact]
    public async Task A_client_that_leaves_between_events_is_seen_with_what_was_sent()
    {
        var marker = Marker();
        using (
            var response = await _provider.PostAsync(
                Wire.Chat(
                    $$"""
                    "stream":true,"x_upstream":{"hold_after":4,"marker":"{{marker}}"}
                    """
                )
            )
        )
        {
            await Assert.Single(_provider.Requests.Of(marker)).HeldAsync(Cancelled);
        }

        var request = Assert.Single(_provider.Requests.Of(marker));
        await request.Finished.WaitAsync(Cancelled);
        Assert.Equal((ExchangeOutcome.ClientLeft, 4), (request.Outcome, request.EventsWritten));
        Assert.Equal(4, Wire.EventsIn(Encoding.UTF8.GetString(request.SentBody)).Length);
        await Assert.ThrowsAsync<InvalidOperationException>(() => request.HeldAsync(Cancelled));
    }

    [Fact]
    public async Task Connections_are_told_apart_by_their_ids()
    {
        var marker = Marker();
        using (var client = new HttpClient())
        {
            await CallAsync(client);
            await CallAsync(client);
        }

        using (var client = new HttpClient())
            await CallAsync(client);

        var ids = _provider.Requests.Of(marker).Select(static request => request.ConnectionId).ToList();
        Assert.Equal(ids[0], ids[1]);
        Assert.NotEqual(ids[0], ids[2]);

        async Task CallAsync(HttpClient client)
        {
            using var content = new StringContent(Wire.Chat($"\"user\":\"{marker}\""));
            using var response = await client.PostAsync(
                new Uri(_provider.BaseAddress, "chat/completions"),
                content,
                Cancelled
            );
            await response.Content.ReadAsStringAsync(Cancelled);
        }
    }

    private static string Marker() => Guid.NewGuid().ToString("N");
}
