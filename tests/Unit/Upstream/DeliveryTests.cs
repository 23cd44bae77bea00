using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class DeliveryTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private readonly FakeProvider _provider = fixture.Provider;

    [Theory]
    [InlineData("cut_after", ConnectionEnd.Reset)]
    [InlineData("close_after", ConnectionEnd.Closed)]
    public async Task A_connection_can_break_before_any_response(string command, ConnectionEnd end)
    {
        var raw = await _provider.RawAsync(Commanded($$"""{"{{command}}":"request"}"""));

        Assert.Equal(("", end), (raw.Text, raw.End));
    }

    [Theory]
    [InlineData("cut_after", ConnectionEnd.Reset)]
    [InlineData("close_after", ConnectionEnd.Closed)]
    public async Task A_connection_can_break_between_headers_and_body(string command, ConnectionEnd end)
    {
        var raw = await _provider.RawAsync(Commanded($$"""{"{{command}}":0}"""));

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", raw.Head, StringComparison.Ordinal);
        Assert.Contains("Content-Length: 826\r\n", raw.Head, StringComparison.Ordinal);
        Assert.Equal(("", end), (raw.Body, raw.End));
    }

    [Theory]
    [InlineData("cut_after", ConnectionEnd.Reset)]
    [InlineData("close_after", ConnectionEnd.Closed)]
    public async Task A_connection_can_break_in_the_middle_of_a_json(string command, ConnectionEnd end)
    {
        var raw = await _provider.RawAsync(Commanded($$"""{"{{command}}":"0+100"}"""));

        Assert.Equal((100, end), (raw.Body.Length, raw.End));
    }

    [Theory]
    [InlineData("cut_after", ConnectionEnd.Reset)]
    [InlineData("close_after", ConnectionEnd.Closed)]
    public async Task A_connection_can_break_after_so_many_events(string command, ConnectionEnd end)
    {
        var marker = Marker();
        var raw = await _provider.RawAsync(Streamed($$"""{"{{command}}":3,"marker":"{{marker}}"}"""));

        Assert.Contains("Transfer-Encoding: chunked\r\n", raw.Head, StringComparison.Ordinal);
        Assert.Equal(end, raw.End);
        Assert.Equal(3, raw.Chunks().Count);
        Assert.All(raw.Chunks(), static chunk => Assert.Single(Wire.EventsIn(chunk)));
        var request = Assert.Single(_provider.Requests.Of(marker));
        Assert.Equal((ExchangeOutcome.Cut, 3), (request.Outcome, request.EventsWritten));
        Assert.Null(request.ClientLeftAt);
    }

    [Theory]
    [InlineData("cut_after", ConnectionEnd.Reset)]
    [InlineData("close_after", ConnectionEnd.Closed)]
    public async Task A_connection_can_break_in_the_middle_of_an_event(string command, ConnectionEnd end)
    {
        var raw = await _provider.RawAsync(Streamed($$"""{"{{command}}":"1+17"}"""));

        Assert.Equal(end, raw.End);
        Assert.Equal("data: {\"id\":\"chat", raw.Chunks()[1]);
    }

    [Fact]
    public async Task An_http_client_sees_a_cut_as_a_fault()
    {
        using var response = await _provider.PostAsync(Streamed("""{"cut_after":2}"""));

        await Assert.ThrowsAnyAsync<HttpRequestException>(() =>
            response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    [Theory]
    [InlineData("end_after", "2", 2)]
    [InlineData("end_after", "\"2+9\"", 3)]
    public async Task A_stream_can_end_early_and_in_order(string command, string position, int chunks)
    {
        var raw = await _provider.RawAsync(
            Streamed($$"""{"{{command}}":{{position}}}"""),
            static text => text.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal)
        );

        Assert.Equal(ConnectionEnd.Open, raw.End);
        Assert.Equal(chunks + 1, raw.Chunks().Count);
    }

    [Fact]
    public async Task A_json_can_end_early_and_in_order()
    {
        var text = await _provider.TextAsync(Commanded("""{"end_after":"0+40"}"""));

        Assert.Equal(40, text.Length);
    }

    [Fact]
    public async Task A_stalled_stream_stays_open_until_the_client_leaves()
    {
        var marker = Marker();
        using var leaves = new CancellationTokenSource();
        using (var response = await _provider.PostAsync(Streamed($$"""{"stall_after":2,"marker":"{{marker}}"}""")))
        {
            var request = await _provider.Requests.FirstAsync(marker, TestContext.Current.CancellationToken);
            await request.EventsAsync(2, TestContext.Current.CancellationToken);
            Assert.Equal(ExchangeOutcome.Pending, request.Outcome);
        }

        var left = Assert.Single(_provider.Requests.Of(marker));
        await left.Finished.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((ExchangeOutcome.ClientLeft, 2), (left.Outcome, left.EventsWritten));
        Assert.NotNull(left.ClientLeftAt);
        Assert.True(left.ClientLeftAt >= left.ReceivedAt);
    }

    [Fact]
    public async Task A_stall_may_come_before_the_headers()
    {
        var marker = Marker();
        using var leaves = new CancellationTokenSource();
        var call = _provider.PostUntilAsync(
            Commanded($$"""{"stall_after":"request","marker":"{{marker}}"}"""),
            leaves.Token
        );
        var request = await _provider.Requests.FirstAsync(marker, TestContext.Current.CancellationToken);

        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await request.Finished.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((ExchangeOutcome.ClientLeft, 0, 0), (request.Outcome, request.Status, request.EventsWritten));
    }

    [Fact]
    public async Task A_held_answer_goes_on_when_it_is_released()
    {
        var marker = Marker();
        using var response = await _provider.PostAsync(
            Streamed($$"""{"chunks":1,"hold_after":[1,"2+5"],"marker":"{{marker}}"}""")
        );
        await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var request = Assert.Single(_provider.Requests.Of(marker));

        await request.HeldAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, request.EventsWritten);
        request.Release();
        await request.EventsAsync(2, TestContext.Current.CancellationToken);
        await request.HeldAsync(TestContext.Current.CancellationToken);
        Assert.Equal(request.SentBody.Length, request.BytesWritten);
        Assert.EndsWith("\n\ndata:", Encoding.UTF8.GetString(request.SentBody), StringComparison.Ordinal);
        request.Release();

        using var reader = new StreamReader(stream);
        Assert.EndsWith(
            "data: [DONE]\n\n",
            await reader.ReadToEndAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_release_may_come_before_the_hold()
    {
        var marker = Marker();
        var call = _provider.TextAsync(Commanded($$"""{"hold_after":["request",0],"marker":"{{marker}}"}"""));
        var request = await _provider.Requests.FirstAsync(marker, TestContext.Current.CancellationToken);
        request.Release();
        request.Release();

        Assert.Contains("chatcmpl-", await call, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"delay_ms":120}""")]
    [InlineData("""{"chunks":1,"chunk_delay_ms":40}""")]
    [InlineData("""{"header_delay_ms":40}""")]
    [InlineData("""{"split_at":[10,20,30],"split_delay_ms":40}""")]
    public async Task Delays_take_their_time(string commands)
    {
        var clock = Stopwatch.StartNew();
        var text = await _provider.TextAsync(Streamed(commands));

        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        // Timers may fire a little early, never by a whole delay of the three or more.
        Assert.True(clock.ElapsedMilliseconds >= 100, $"It took {clock.ElapsedMilliseconds} ms.");
    }

    [Fact]
    public async Task Slow_headers_arrive_in_halves_of_lines()
    {
        var half = await _provider.RawAsync(Commanded("""{"header_delay_ms":2000}"""), static text => text.Length > 0);
        var whole = await _provider.RawAsync(Commanded("""{"header_delay_ms":1}"""));

        Assert.Equal("HTTP/1.", half.Text);
        Assert.Contains("\r\nconnection: close\r\n", whole.Head, StringComparison.Ordinal);
        Assert.Equal("chat.completion", JsonElement.Parse(whole.Body).GetProperty("object").GetString());
        Assert.Equal(ConnectionEnd.Closed, whole.End);
    }

    [Fact]
    public async Task An_event_is_one_chunk_of_http_by_default()
    {
        var raw = await RawStreamAsync("""{"chunks":2}""");

        Assert.Equal(6, raw.Chunks().Count);
        Assert.All(raw.Chunks()[..5], static chunk => Assert.Single(Wire.EventsIn(chunk)));
    }

    [Fact]
    public async Task A_burst_is_one_chunk_of_http()
    {
        var raw = await RawStreamAsync("""{"chunks":2,"burst":true}""");

        Assert.Equal(2, raw.Chunks().Count);
        Assert.Equal(5, Wire.EventsIn(raw.Chunks()[0]).Length);
    }

    [Fact]
    public async Task A_burst_stops_where_it_is_held()
    {
        var marker = Marker();
        var call = RawStreamAsync($$"""{"chunks":2,"burst":true,"hold_after":2,"marker":"{{marker}}"}""");
        var request = await _provider.Requests.FirstAsync(marker, TestContext.Current.CancellationToken);
        await request.HeldAsync(TestContext.Current.CancellationToken);
        Assert.Equal(2, request.EventsWritten);
        request.Release();

        Assert.Equal([2, 3], (await call).Chunks()[..2].Select(static chunk => Wire.EventsIn(chunk).Length));
    }

    [Fact]
    public async Task A_stream_can_be_split_at_every_byte()
    {
        var raw = await RawStreamAsync("""{"chunks":1,"split_every":1}""");

        Assert.All(raw.Chunks()[..^1], static chunk => Assert.Single(chunk));
        Assert.Equal(4, Wire.EventsIn(string.Concat(raw.Chunks())).Length);
    }

    [Fact]
    public async Task A_stream_can_be_split_at_offsets_of_its_body()
    {
        var raw = await RawStreamAsync("""{"chunks":1,"split_at":[7,3,500]}""");

        var lengths = raw.Chunks().Select(static chunk => chunk.Length).ToList();
        Assert.Equal([3, 4], lengths[..2]);
        var ends = lengths.Select((_, index) => lengths[..(index + 1)].Sum());
        Assert.Contains(500, ends);
    }

    [Fact]
    public async Task A_json_can_be_chunked_and_split()
    {
        var raw = await _provider.RawAsync(
            Commanded("""{"chunked":true,"split_every":400}"""),
            static text => text.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal)
        );

        Assert.Equal([400, 400, 26, 0], raw.Chunks().Select(static chunk => chunk.Length));
        Assert.DoesNotContain("Content-Length", raw.Head, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(400, "invalid_request_error", null)]
    [InlineData(401, "invalid_request_error", "invalid_api_key")]
    [InlineData(404, "invalid_request_error", "model_not_found")]
    [InlineData(429, "requests", "rate_limit_exceeded")]
    [InlineData(500, "server_error", null)]
    [InlineData(503, "server_error", null)]
    public async Task A_status_comes_with_openais_error(int status, string type, string? code)
    {
        using var response = await _provider.PostAsync(Streamed($$"""{"status":{{status}}}"""));

        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        var error = await response.ErrorAsync((HttpStatusCode)status);
        Assert.Equal(["message", "type", "param", "code"], error.EnumerateObject().Select(static p => p.Name));
        Assert.Equal((type, code), (error.GetProperty("type").GetString(), error.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task An_error_is_openais_to_the_byte()
    {
        using var response = await _provider.PostAsync(Commanded("""{"status":404}"""));

        Assert.Equal(
            """
            {
                "error": {
                    "message": "The model `gpt-fake` does not exist or you do not have access to it.",
                    "type": "invalid_request_error",
                    "param": null,
                    "code": "model_not_found"
                }
            }

            """,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public async Task The_parts_of_an_error_may_be_given()
    {
        using var response = await _provider.PostAsync(
            Commanded(
                """{"status":400,"error_message":"Too long.","error_type":"t","error_code":"context_length_exceeded","retry_after":1.5}"""
            )
        );

        var error = await response.ErrorAsync(HttpStatusCode.BadRequest);
        Assert.Equal("Too long.", error.GetProperty("message").GetString());
        Assert.Equal("t", error.GetProperty("type").GetString());
        Assert.Equal("context_length_exceeded", error.GetProperty("code").GetString());
        Assert.Equal("1.5", Assert.Single(response.Headers.GetValues("retry-after")));
    }

    [Fact]
    public async Task A_redirect_points_where_it_is_told()
    {
        using var response = await _provider.PostAsync(
            Commanded("""{"status":307,"headers":{"location":"http://127.0.0.1:1/elsewhere"}}""")
        );

        Assert.Equal(HttpStatusCode.TemporaryRedirect, response.StatusCode);
        Assert.Equal("http://127.0.0.1:1/elsewhere", response.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task A_status_without_a_body_has_none()
    {
        using var response = await _provider.PostAsync(Commanded("""{"status":204,"body":"never"}"""));

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_body_may_be_given_to_the_byte()
    {
        using var response = await _provider.PostAsync(
            Commanded("""{"status":502,"body":"<html>bad gateway</html>","content_type":"text/html"}""")
        );

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(
            "<html>bad gateway</html>",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public async Task A_body_need_not_be_text()
    {
        using var response = await _provider.PostAsync(Streamed("""{"body_base64":"/wD+"}"""));

        var body = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        Assert.Equal<byte>([0xFF, 0x00, 0xFE], body);
        Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType?.ToString());
    }

    [Fact]
    public async Task Headers_are_sent_as_given()
    {
        using var response = await _provider.PostAsync(
            Commanded("""{"headers":{"x-one":"1","set-cookie":["a=b","c=d"],"openai-processing-ms":17}}""")
        );

        Assert.Equal("1", Assert.Single(response.Headers.GetValues("x-one")));
        Assert.Equal(["a=b", "c=d"], response.Headers.GetValues("set-cookie"));
        Assert.Equal("17", Assert.Single(response.Headers.GetValues("openai-processing-ms")));
    }

    [Fact]
    public async Task The_providers_usual_headers_come_on_command()
    {
        using var plain = await _provider.PostAsync(Wire.Chat());
        using var usual = await _provider.PostAsync(Streamed("""{"provider_headers":true}"""));

        Assert.False(plain.Headers.Contains("x-request-id"));
        Assert.StartsWith("req_", Assert.Single(usual.Headers.GetValues("x-request-id")), StringComparison.Ordinal);
        Assert.Equal("6ms", Assert.Single(usual.Headers.GetValues("x-ratelimit-reset-requests")));
        Assert.Equal(2, usual.Headers.GetValues("set-cookie").Count());
    }

    [Fact]
    public async Task Headers_of_one_hop_come_on_command()
    {
        using var response = await _provider.PostAsync(Commanded("""{"hop_headers":true}"""));

        Assert.Equal(["x-hop", "close"], response.Headers.Connection);
        Assert.Equal("timeout=5", Assert.Single(response.Headers.GetValues("keep-alive")));
        Assert.Equal("only for the next hop", Assert.Single(response.Headers.GetValues("x-hop")));
    }

    [Fact]
    public async Task Stopping_does_not_wait_for_stalled_answers()
    {
        await using var provider = await FakeProvider.StartAsync(
            cancellationToken: TestContext.Current.CancellationToken
        );
        using var response = await provider.PostAsync(Streamed("""{"stall_after":1}"""));
        var request = Assert.Single(provider.Requests.All);

        await provider.DisposeAsync();

        await request.Finished.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ExchangeOutcome.Stopped, request.Outcome);
    }

    private static string Marker() => Guid.NewGuid().ToString("N");

    private static string Commanded(string commands) => Wire.Chat($"\"x_upstream\":{commands}");

    private static string Streamed(string commands) => Wire.Chat($"\"stream\":true,\"x_upstream\":{commands}");

    private Task<RawAnswer> RawStreamAsync(string commands) =>
        _provider.RawAsync(Streamed(commands), static text => text.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal));
}
