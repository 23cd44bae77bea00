using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Tests.Integration.Gateway.Conformance;
using Verbatim.Tests.Integration.Gateway.Responses;

namespace Verbatim.Tests.Integration.Gateway;

/// <summary>Headers that HTTP has no way to send, whoever gives cause for them. No call stays open for one, and no provider is blamed.</summary>
public sealed class OddHeaderTests(ConformanceHost gateway) : IClassFixture<ConformanceHost>
{
    private const string Warning = "x-verbatim-unsupported";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("gr\u00f6\u00dfe", @"gr\u00f6\u00dfe")]
    [InlineData("a\\nb", @"a\u000ab")]
    [InlineData("plain", "plain")]
    public async Task A_warning_names_what_was_left_out_in_characters_that_can_be_sent(string name, string told)
    {
        using var response = await gateway.PostAsync(
            $$"""{"model":"claude-fake","messages":[{"role":"user","content":"Hello"}],"{{name}}":1}""",
            Cancellation,
            r => r.Headers.Add(Warning, "warn")
        );

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(told, response.Headers.GetValues(Warning).Single());
        Assert.Equal(InferenceStatus.Completed, (await gateway.InferenceAsync(response, Cancellation)).Status);
    }

    [Fact]
    public async Task A_warning_is_cut_before_clients_refuse_it()
    {
        var many = string.Join(',', Enumerable.Range(0, 2000).Select(static i => $"\"unknown_parameter_{i}\":1"));
        using var response = await gateway.PostAsync(
            $$"""{"model":"claude-fake","messages":[{"role":"user","content":"Hello"}],{{many}}}""",
            Cancellation,
            r => r.Headers.Add(Warning, "warn")
        );

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var told = response.Headers.GetValues(Warning).Single();
        Assert.StartsWith("unknown_parameter_0, ", told, StringComparison.Ordinal);
        Assert.EndsWith("...", told, StringComparison.Ordinal);
        Assert.InRange(told.Length, 1000, 4000);
    }

    [Fact]
    public async Task In_the_background_the_same_warning_is_given()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        client.DefaultRequestHeaders.Add(Warning, "warn");
        using var created = await Background.PostAsync(
            client,
            Background.ResponsesPath,
            """{"model":"claude-fake","input":"Hello","background":true,"gr\u00f6\u00dfe":1}"""
        );
        var text = await created.Content.ReadAsStringAsync(Cancellation);

        Assert.True(created.StatusCode == HttpStatusCode.OK, text);
        Assert.Equal(@"gr\u00f6\u00dfe", created.Headers.GetValues(Warning).Single());
        var ended = await Background.EndedAsync(client, Background.IdOf(JsonNode.Parse(text)!));
        Assert.Equal("completed", Background.StatusOf(ended));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_provider_sends_in_other_characters_is_not_passed_on(bool stream)
    {
        using var response = await gateway.PostAsync(
            $$$$"""
            {"model":"gpt-fake","messages":[{"role":"user","content":"Hello"}],"stream":{{{{(
                stream ? "true" : "false"
            )}}}},
            "x_upstream":{"headers":{"openai-model":"gr\u00f6\u00dfe","openai-version":"2020-10-01"}}}
            """,
            Cancellation
        );
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        Assert.Contains("Hello", text, StringComparison.Ordinal);
        Assert.False(response.Headers.Contains("openai-model"));
        Assert.Equal("2020-10-01", response.Headers.GetValues("openai-version").Single());
        Assert.Equal(InferenceStatus.Completed, (await gateway.InferenceAsync(response, Cancellation)).Status);
    }

    [Theory]
    [InlineData("anthropic-beta", "/v1/messages", "claude-fake")]
    [InlineData("OpenAI-Beta", "/v1/chat/completions", "gpt-fake")]
    public async Task A_caller_who_sends_such_a_header_to_a_provider_is_told_so(
        string header,
        string path,
        string model
    )
    {
        using var client = new HttpClient(
            new SocketsHttpHandler { RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8 }
        )
        {
            BaseAddress = gateway.Host.Address,
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(
                $$"""{"model":"{{model}}","max_tokens":9,"messages":[{"role":"user","content":"Hello"}]}""",
                Encoding.UTF8,
                "application/json"
            ),
        };
        request.Headers.Add("Authorization", "Bearer " + gateway.ApiKey);
        request.Headers.TryAddWithoutValidation(header, "gr\u00f6\u00dfe");
        using var response = await client.SendAsync(request, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, text);
        Assert.Contains($"'{header}'", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_are_no_exception_to_either()
    {
        using var client = new HttpClient(
            new SocketsHttpHandler { RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8 }
        )
        {
            BaseAddress = gateway.Host.Address,
            DefaultRequestHeaders =
            {
                { "Authorization", "Bearer " + gateway.ApiKey },
                { "x-verbatim-provider", "of-openai" },
            },
        };
        using var refused = await client.PostAsync("/v1/files", Form("status=429,retry-after=gr%C3%B6"), Cancellation);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());

        client.DefaultRequestHeaders.TryAddWithoutValidation("OpenAI-Beta", "gr\u00f6\u00dfe");
        using var unsent = await client.PostAsync("/v1/files", Form("chunked"), Cancellation);
        var text = await unsent.Content.ReadAsStringAsync(Cancellation);
        Assert.True(unsent.StatusCode == HttpStatusCode.BadRequest, text);
        Assert.Contains("'OpenAI-Beta'", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_that_is_too_large_ends_the_stream_with_an_error_and_the_call_on_record()
    {
        using var response = await gateway.PostAsync(
            $$$"""
            {"model":"{{{gateway.ModelThatFails(
                "openai-compatible"
            )}}}","messages":[{"role":"user","content":"Hello"}],"stream":true,
            "x_upstream":{"bytes":17825792,"chunks":1}}
            """,
            Cancellation
        );
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("\"error\"", text, StringComparison.Ordinal);
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal((InferenceStatus.Failed, "upstream-broken"), (inference.Status, inference.Error!.Code));
    }

    private static MultipartFormDataContent Form(string commands) =>
        new()
        {
            { new StringContent("user_data"), "purpose" },
            { new StringContent($"gpt-fake@{commands}"), "model" },
            { new StringContent("Some text."), "file", "a.txt" },
        };
}
