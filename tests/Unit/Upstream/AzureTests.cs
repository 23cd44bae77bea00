using System.Net;
using System.Text.Json;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class AzureTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private const string Chat = "/openai/deployments/gpt-fake/chat/completions?api-version=2024-10-21";
    private const string Body = """{"messages":[{"role":"user","content":"Hi"}]}""";
    private const string Safe = """{"filtered":false,"severity":"safe"}""";
    private const string None = """{"detected":false,"filtered":false}""";

    private readonly FakeProvider _provider = fixture.Provider;

    [Fact]
    public async Task An_answer_has_what_the_filter_found_and_its_fields_in_the_order_of_the_alphabet()
    {
        using var response = await PostAsync(Chat, Body);

        Assert.Equal(
            $$$"""
            {"choices":[{"content_filter_results":{"hate":{{{Safe}}},"protected_material_code":{{{None}}},"protected_material_text":{{{None}}},"self_harm":{{{Safe}}},"sexual":{{{Safe}}},"violence":{{{Safe}}}},"finish_reason":"stop","index":0,"logprobs":null,"message":{"annotations":[],"content":"Hello! How can I assist you today?","refusal":null,"role":"assistant"}}],"created":1,"id":"chatcmpl-ID","model":"gpt-fake","object":"chat.completion","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{{{Safe}}},"jailbreak":{"filtered":false,"detected":false},"self_harm":{{{Safe}}},"sexual":{{{Safe}}},"violence":{{{Safe}}}}}],"system_fingerprint":"fp_644f11dd4d","usage":{"completion_tokens":9,"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,"reasoning_tokens":0,"rejected_prediction_tokens":0},"prompt_tokens":19,"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":0},"total_tokens":28}}
            """,
            Wire.Fixed(await response.TextAsync())
        );
    }

    [Fact]
    public async Task A_stream_begins_without_a_choice_and_an_id()
    {
        using var response = await PostAsync(
            Chat,
            """{"messages":[{"role":"user","content":"Hi"}],"stream":true,"x_upstream":{"text":"Hi"}}"""
        );
        var events = Wire.EventsIn(await response.TextAsync());

        Assert.StartsWith(
            """{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,""",
            events[0],
            StringComparison.Ordinal
        );
        var text = JsonElement.Parse(events[2]).GetProperty("choices")[0];
        Assert.Equal("Hi", text.GetProperty("delta").GetProperty("content").GetString());
        Assert.Equal(6, text.GetProperty("content_filter_results").EnumerateObject().Count());
        var end = JsonElement.Parse(events[3]).GetProperty("choices")[0];
        Assert.Equal("{}", end.GetProperty("content_filter_results").GetRawText());
        Assert.Equal("[DONE]", events[4]);
    }

    [Fact]
    public async Task Without_a_key_nobody_is_answered()
    {
        using var response = await _provider.PostAsync(Chat, Wire.Json(Body));

        var error = await response.ErrorAsync(HttpStatusCode.Unauthorized);
        Assert.Equal("401", error.GetProperty("code").GetString());
        Assert.StartsWith(
            "Access denied due to invalid subscription key",
            error.GetProperty("message").GetString(),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("/openai/deployments/gpt-fake/chat/completions")]
    [InlineData("/openai/deployments/gpt-fake/nothing?api-version=2024-10-21")]
    [InlineData("/openai/nothing?api-version=2024-10-21")]
    public async Task Without_a_version_or_a_known_path_nothing_is_found(string path)
    {
        using var response = await PostAsync(path, Body);

        Assert.Equal("404", (await response.ErrorAsync(HttpStatusCode.NotFound)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_filtered_prompt_is_refused_with_what_was_found()
    {
        using var response = await PostAsync(
            Chat,
            """{"messages":[{"role":"user","content":"Hi"}],"x_upstream":{"filtered":true}}"""
        );

        var error = await response.ErrorAsync(HttpStatusCode.BadRequest);
        Assert.Equal("content_filter", error.GetProperty("code").GetString());
        Assert.Equal("prompt", error.GetProperty("param").GetString());
        Assert.True(
            error
                .GetProperty("innererror")
                .GetProperty("content_filter_result")
                .GetProperty("violence")
                .GetProperty("filtered")
                .GetBoolean()
        );
    }

    [Theory]
    [InlineData("status=404", 404, "DeploymentNotFound")]
    [InlineData("status=429,retry-after=20", 429, "429")]
    [InlineData("status=500", 500, "500")]
    public async Task The_deployments_name_commands_too(string commands, int status, string code)
    {
        using var response = await PostAsync(
            $"/openai/deployments/gpt-fake@{commands},provider-headers/chat/completions?api-version=2024-10-21",
            Body
        );

        Assert.Equal(code, (await response.ErrorAsync((HttpStatusCode)status)).GetProperty("code").GetString());
        Assert.Single(response.Headers.GetValues("apim-request-id"));
    }

    [Fact]
    public async Task Embeddings_are_openais_and_need_no_model()
    {
        using var response = await PostAsync(
            "/openai/deployments/emb-fake/embeddings?api-version=2024-10-21",
            """{"input":["a","b"],"dimensions":3}"""
        );

        var answer = JsonElement.Parse(await response.TextAsync());
        Assert.Equal(2, answer.GetProperty("data").GetArrayLength());
        Assert.Equal("emb-fake", answer.GetProperty("model").GetString());
    }

    [Theory]
    [InlineData("/openai/v1/responses?api-version=preview", """{"model":"gpt-fake","input":"Hi"}""", "response")]
    [InlineData(
        "/openai/deployments/gpt-fake/images/generations?api-version=1",
        """{"model":"gpt-fake","prompt":"A lighthouse"}""",
        null
    )]
    public async Task Responses_and_images_are_openais(string path, string body, string? kind)
    {
        using var response = await PostAsync(path, body);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var answer = JsonElement.Parse(await response.TextAsync());
        Assert.Equal(kind, answer.TryGetProperty("object", out var named) ? named.GetString() : null);
    }

    [Fact]
    public async Task Files_belong_to_the_resource()
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("user_data"), "purpose" },
            { new ByteArrayContent([1, 2, 3]), "file", "a.bin" },
        };
        using var response = await _provider.PostAsync(
            "/openai/files?api-version=2024-10-21",
            form,
            ("api-key", "fake")
        );

        Assert.Equal("a.bin", JsonElement.Parse(await response.TextAsync()).GetProperty("filename").GetString());
    }

    [Fact]
    public async Task Without_a_record_deployments_are_not_confused()
    {
        await using var fast = await FakeProvider.StartAsync(
            new FakeProviderOptions { Record = false },
            TestContext.Current.CancellationToken
        );

        foreach (var name in new[] { "one", "two", "one" })
        {
            using var response = await fast.PostAsync(
                $"/openai/deployments/{name}/chat/completions?api-version=1",
                Wire.Json(Body),
                ("api-key", "fake")
            );
            Assert.Equal(name, JsonElement.Parse(await response.TextAsync()).GetProperty("model").GetString());
        }
    }

    private Task<HttpResponseMessage> PostAsync(string path, string body) =>
        _provider.PostAsync(path, Wire.Json(body), ("api-key", "fake"));
}
