using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class RawTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 70_000).Select(static i => (byte)(i * 7))];

    private readonly FakeProvider _provider = fixture.Provider;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_comes_back_to_the_byte_and_can_be_deleted()
    {
        using var form = Form(("purpose", "assistants"));
        using var created = await _provider.PostAsync("files", form);
        var file = JsonElement.Parse(await created.TextAsync());
        var id = file.GetProperty("id").GetString();

        Assert.Matches("^file-[0-9a-f]{24}$", id);
        Assert.Equal(
            ("file", "assistants", "zwölf a.bin", Bytes.Length, "processed"),
            (
                file.GetProperty("object").GetString(),
                file.GetProperty("purpose").GetString(),
                file.GetProperty("filename").GetString(),
                file.GetProperty("bytes").GetInt32(),
                file.GetProperty("status").GetString()
            )
        );
        using (var content = await _provider.GetAsync($"files/{id}/content"))
        {
            Assert.Equal(Bytes, await content.Content.ReadAsByteArrayAsync(Cancelled));
            Assert.Equal("application/x-fake", content.Content.Headers.ContentType?.ToString());
        }

        using (var again = await _provider.GetAsync($"files/{id}"))
            Assert.Equal(file.GetRawText(), JsonElement.Parse(await again.TextAsync()).GetRawText());
        using (var deleted = await _provider.SendAsync(HttpMethod.Delete, $"files/{id}"))
            Assert.True(JsonElement.Parse(await deleted.TextAsync()).GetProperty("deleted").GetBoolean());
        using var gone = await _provider.GetAsync($"files/{id}/content");
        Assert.Equal(
            $"No such File object: {id}",
            (await gone.ErrorAsync(HttpStatusCode.NotFound)).GetProperty("message").GetString()
        );
    }

    [Fact]
    public async Task Files_come_in_pages_by_purpose()
    {
        var purpose = Guid.NewGuid().ToString("N");
        for (var count = 0; count < 3; count++)
        {
            using var form = Form(("purpose", purpose));
            using var created = await _provider.PostAsync("files", form);
            await created.TextAsync();
        }

        var first = await _provider.GetJsonAsync($"files?purpose={purpose}&limit=2");
        var last = await _provider.GetJsonAsync(
            $"files?purpose={purpose}&after={first.GetProperty("last_id").GetString()}"
        );
        Assert.Equal(2, first.GetProperty("data").GetArrayLength());
        Assert.True(first.GetProperty("has_more").GetBoolean());
        Assert.Equal(1, last.GetProperty("data").GetArrayLength());
        Assert.False(last.GetProperty("has_more").GetBoolean());
    }

    [Theory]
    [InlineData("", "Missing required parameter: 'purpose'.")]
    [InlineData("text/plain", "We could not parse the multipart form body of your request: no multipart boundary")]
    [InlineData("multipart/form-data; boundary=other", "We could not parse the multipart form body of your request.")]
    public async Task A_wrong_form_is_refused(string contentType, string message)
    {
        using var form = Form();
        using var plain = new ByteArrayContent(Bytes);
        plain.Headers.TryAddWithoutValidation("content-type", contentType);
        using var response = await _provider.PostAsync("files", contentType.Length is 0 ? form : plain);

        var error = await response.ErrorAsync(HttpStatusCode.BadRequest);
        Assert.StartsWith(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("files")]
    [InlineData("audio/transcriptions")]
    [InlineData("audio/speech")]
    [InlineData("images/generations")]
    [InlineData("images/edits")]
    public async Task An_echo_is_the_body_that_came_to_the_byte(string path)
    {
        using var form = Form(("purpose", "x"));
        var sent = await form.ReadAsByteArrayAsync(Cancelled);
        using var byQuery = await _provider.PostAsync(path + "?x_upstream=echo", form);
        using var content = new ByteArrayContent(sent) { Headers = { ContentType = form.Headers.ContentType } };
        using var byHeader = await _provider.PostAsync(path, content, ("x-upstream-commands", "echo,status=201"));

        Assert.Equal(sent, await byQuery.Content.ReadAsByteArrayAsync(Cancelled));
        Assert.Equal(form.Headers.ContentType?.ToString(), byQuery.Content.Headers.ContentType?.ToString());
        Assert.Equal(HttpStatusCode.Created, byHeader.StatusCode);
        Assert.Equal(sent, await byHeader.Content.ReadAsByteArrayAsync(Cancelled));
    }

    [Theory]
    [InlineData("json", "application/json", "{\n  \"text\": \"Hi you\",")]
    [InlineData("verbose_json", "application/json", "{\n  \"task\": \"transcribe\",")]
    [InlineData("text", "text/plain; charset=utf-8", "Hi you\n")]
    [InlineData("srt", "text/plain; charset=utf-8", "1\n00:00:00,000 --> 00:00:01,000\nHi you\n")]
    [InlineData("vtt", "text/plain; charset=utf-8", "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHi you\n")]
    public async Task What_was_heard_comes_in_the_form_that_was_asked_for(string format, string type, string start)
    {
        using var form = Form(("model", "whisper-fake"), ("response_format", format));
        using var response = await _provider.PostAsync("audio/transcriptions?x_upstream=text=Hi%2520you", form);

        Assert.StartsWith(start, await response.TextAsync(), StringComparison.Ordinal);
        Assert.Equal(type, response.Content.Headers.ContentType?.ToString());
    }

    [Fact]
    public async Task What_was_heard_may_be_streamed()
    {
        using var form = Form(("model", "whisper-fake"), ("stream", "true"));
        using var response = await _provider.PostAsync("audio/translations?x_upstream=chunks=2", form);

        var events = Wire.EventsIn(await response.TextAsync());
        Assert.Equal(3, events.Length);
        Assert.Equal("""{"type":"transcript.text.delta","delta":"Hello"}""", events[0]);
        Assert.StartsWith("""{"type":"transcript.text.done","text":"Hello!",""", events[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Speech_is_bytes_in_as_many_pieces_as_commanded()
    {
        var marker = Guid.NewGuid().ToString("N");
        using var response = await _provider.PostAsync(
            $"audio/speech?x_upstream=bytes=1000,chunks=4,marker={marker}",
            Wire.Json("""{"model":"tts-fake","input":"Hi","voice":"alloy","response_format":"wav"}""")
        );

        Assert.Equal(1000, (await response.Content.ReadAsByteArrayAsync(Cancelled)).Length);
        Assert.Equal("audio/wav", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(4, Assert.Single(_provider.Requests.Of(marker)).EventsWritten);
    }

    [Fact]
    public async Task Pictures_are_as_many_as_were_asked_for()
    {
        using var response = await _provider.PostAsync(
            "images/generations",
            Wire.Json("""{"model":"image-fake","prompt":"a pixel","n":2}""")
        );

        var data = JsonElement.Parse(await response.TextAsync()).GetProperty("data");
        Assert.Equal(2, data.GetArrayLength());
        Assert.Equal("PNG", Encoding.ASCII.GetString(data[1].GetProperty("b64_json").GetBytesFromBase64()[1..4]));
    }

    [Theory]
    [InlineData("files?x_upstream=status=503", 503, "server_error")]
    [InlineData("images/nothing", 404, "invalid_request_error")]
    [InlineData("files?x_upstream=tool-calls=1", 400, "invalid_request_error")]
    [InlineData("files?x_upstream={", 400, "invalid_request_error")]
    public async Task Errors_are_openais(string path, int status, string type)
    {
        using var form = Form(("purpose", "x"));
        using var response = await _provider.PostAsync(path, form);

        Assert.Equal(type, (await response.ErrorAsync((HttpStatusCode)status)).GetProperty("type").GetString());
    }

    private static MultipartFormDataContent Form(params (string Name, string Value)[] fields)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, value) in fields)
            form.Add(new StringContent(value), name);
        var file = new ByteArrayContent(Bytes);
        file.Headers.ContentType = new MediaTypeHeaderValue("application/x-fake");
        form.Add(file, "file", "zwölf a.bin");
        return form;
    }
}
