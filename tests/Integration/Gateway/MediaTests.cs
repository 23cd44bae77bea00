using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Integration.Gateway;

public sealed class MediaTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_form_passes_untouched_and_is_on_record_by_its_digest()
    {
        var sound = new byte[100_000];
        new Random(1).NextBytes(sound);
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(sound), "file", "speech.wav" },
            { new StringContent("gpt-fake"), "model" },
        };
        var sent = await form.ReadAsByteArrayAsync(Cancellation);
        using var client = gateway.Host.As(gateway.ApiKey);
        using var response = await client.PostAsync("/v1/audio/transcriptions", form, Cancellation);
        var answer = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.True(response.StatusCode == HttpStatusCode.OK, answer);
        var received = gateway.Provider.Requests.All.Single(r =>
            r.Path.EndsWith("/audio/transcriptions", StringComparison.Ordinal) && r.Body.Length > sound.Length
        );
        Assert.Equal(sent, received.Body);
        Assert.Equal(form.Headers.ContentType!.ToString(), received.Header("Content-Type"));
        Assert.Equal("Bearer sk-the-providers-own", received.Header("Authorization"));
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal(("openai.audio-transcriptions", InferenceStatus.Completed), (inference.Wire, inference.Status));
        Assert.Null(inference.Request);
        Assert.Equal(BodyDigest.Of(sent), inference.RequestDigest);
    }

    [Fact]
    public async Task The_model_in_a_form_is_renamed_and_nothing_else()
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("fast"), "model" },
            { new StringContent("gpt-fake"), "prompt" },
            { new ByteArrayContent([1, 2, 3]), "image", "a.png" },
        };
        var sent = Encoding.Latin1.GetString(await form.ReadAsByteArrayAsync(Cancellation));
        using var client = gateway.Host.As(gateway.ApiKey);
        using var response = await client.PostAsync("/v1/images/edits", form, Cancellation);

        var received = gateway.Provider.Requests.All.Single(r =>
            r.Path.EndsWith("/images/edits", StringComparison.Ordinal)
        );
        Assert.Equal(
            sent.Replace("\r\nfast\r\n", "\r\ngpt-fake-2030-01-01\r\n", StringComparison.Ordinal),
            Encoding.Latin1.GetString(received.Body.Span)
        );
    }

    [Fact]
    public async Task Sound_passes_untouched_and_is_on_record_by_its_digest()
    {
        using var body = new StringContent(
            """{"model":"gpt-fake","voice":"alloy","input":"Hello"}""",
            Encoding.UTF8,
            "application/json"
        );
        using var client = gateway.Host.As(gateway.ApiKey);
        using var response = await client.PostAsync("/v1/audio/speech", body, Cancellation);
        var sound = await response.Content.ReadAsByteArrayAsync(Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.StartsWith("audio/", response.Content.Headers.ContentType!.MediaType, StringComparison.Ordinal);
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal(BodyDigest.Of(sound), inference.ResponseDigest);
        Assert.Null(inference.Response);
        Assert.NotNull(inference.Request);
    }

    [Fact]
    public async Task Sound_is_heard_while_it_is_made()
    {
        var marker = Guid.NewGuid().ToString("N");
        var answering = SpeakAsync($"gpt-fake@bytes=40000,chunks=4,hold-after=2,marker={marker}");
        var request = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        using var response = await answering;
        await using var sound = await response.Content.ReadAsStreamAsync(Cancellation);
        var heard = new byte[10_000];
        await sound.ReadExactlyAsync(heard, Cancellation);
        // The provider still waits with the second half.
        Assert.False(request.Finished.IsCompleted);
        request.Release();
        var rest = new MemoryStream();
        await sound.CopyToAsync(rest, Cancellation);

        byte[] all = [.. heard, .. rest.ToArray()];
        Assert.Equal(Enumerable.Range(0, 40_000).Select(i => (byte)(i * 31)), all);
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal((InferenceStatus.Completed, BodyDigest.Of(all)), (inference.Status, inference.ResponseDigest));
    }

    [Fact]
    public async Task Sound_that_breaks_off_does_not_look_whole()
    {
        using var response = await SpeakAsync($"{gateway.ModelThatMayFail()}@bytes=40000,chunks=4,cut-after=3");
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsByteArrayAsync(Cancellation));

        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal((InferenceStatus.Failed, "upstream-broken"), (inference.Status, inference.Error!.Code));
        Assert.Equal(30_000, inference.ResponseDigest!.Bytes);
    }

    [Fact]
    public async Task Who_leaves_while_it_speaks_ends_it()
    {
        var marker = Guid.NewGuid().ToString("N");
        var answering = SpeakAsync($"gpt-fake@bytes=40000,chunks=4,hold-after=2,marker={marker}");
        var request = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        var response = await answering;
        var id = Guid.Parse(response.Headers.GetValues(GatewayHost.InferenceIdHeader).Single());
        response.Dispose();

        await request.Finished.WaitAsync(TimeSpan.FromSeconds(10), Cancellation);
        Assert.Equal(ExchangeOutcome.ClientLeft, request.Outcome);
        Assert.Equal("gateway.inference-cancelled", (await gateway.OutcomeOfAsync(id, Cancellation)).Type);
    }

    [Fact]
    public async Task Sound_in_events_passes_untouched_and_its_usage_is_on_record()
    {
        using var response = await SpeakAsync("gpt-fake@chunks=3", ",\"stream_format\":\"sse\"");
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(4, text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Length);
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal(BodyDigest.Of(Encoding.UTF8.GetBytes(text)), inference.ResponseDigest);
        Assert.Equal(
            (19, 3, false),
            (inference.Usage!.InputTokens, inference.Usage.OutputTokens, inference.Usage.Estimated)
        );
    }

    [Fact]
    public async Task Events_of_sound_that_break_off_end_with_an_error()
    {
        using var response = await SpeakAsync(
            $"{gateway.ModelThatMayFail()}@chunks=3,end-after=2",
            ",\"stream_format\":\"sse\""
        );
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Contains("\"error\"", text.TrimEnd().Split("\n\n")[^1], StringComparison.Ordinal);
        Assert.Equal(InferenceStatus.Failed, (await gateway.InferenceAsync(response, Cancellation)).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_transcript_is_on_record_with_its_usage(bool stream)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("gpt-fake"), "model" },
            { new StringContent(stream ? "true" : "false"), "stream" },
            { new ByteArrayContent([1, 2, 3]), "file", "speech.wav" },
        };
        using var client = gateway.Host.As(gateway.ApiKey);
        using var response = await client.PostAsync("/v1/audio/transcriptions", form, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(
            stream ? "text/event-stream" : "application/json",
            response.Content.Headers.ContentType!.MediaType
        );
        Assert.Equal(stream, text.Contains("transcript.text.delta", StringComparison.Ordinal));
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal(InferenceStatus.Completed, inference.Status);
        Assert.Equal(19, inference.Usage!.InputTokens);
        Assert.Contains(
            "Hello! How can I assist you today?",
            Encoding.UTF8.GetString(inference.Response!.Value.Utf8.Span),
            StringComparison.Ordinal
        );
    }

    private Task<HttpResponseMessage> SpeakAsync(string model, string more = "") =>
        gateway.PostAsync(
            $$"""{"model":"{{model}}","voice":"alloy","input":"Hello"{{more}}}""",
            Cancellation,
            path: "/v1/audio/speech"
        );

    [Theory]
    [InlineData("multipart/form-data; boundary=x", "--x--")]
    [InlineData("multipart/form-data", "")]
    [InlineData(
        "multipart/form-data; boundary=x",
        "--x\r\ncontent-disposition: form-data; name=model\r\n\r\n\r\n--x--"
    )]
    [InlineData("multipart/form-data; boundary=x", "--x\r\ncontent-disposition: form-data; name=model")]
    [InlineData("text/plain", "hello")]
    public async Task A_broken_form_is_refused_in_OpenAIs_shape(string contentType, string text)
    {
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
        body.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        using var client = gateway.Host.As(gateway.ApiKey);
        using var response = await client.PostAsync("/v1/audio/transcriptions", body, Cancellation);

        Assert.InRange((int)response.StatusCode, 400, 415);
        Assert.Contains("\"error\"", await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }
}
