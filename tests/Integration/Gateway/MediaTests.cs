using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Verbatim.Modules.Gateway.Inferences;

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
            r.Path.EndsWith("/audio/transcriptions", StringComparison.Ordinal)
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
