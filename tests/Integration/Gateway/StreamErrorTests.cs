using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway;

/// <summary>A provider that fails within a stream: as its first event it is an answer with a status, behind that an event of the caller's wire.</summary>
public sealed class StreamErrorTests(ConformanceHost gateway) : IClassFixture<ConformanceHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    // The status of a whole answer with this error, as each dialect has it; OpenAI's providers say it by code, Anthropic's by type.
    public static TheoryData<string, string, string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, string, int>();
            foreach (var path in (string[])["/v1/chat/completions", "/v1/messages", "/v1/responses"])
            {
                foreach (var kind in ConformanceHost.DistinctKinds)
                {
                    var isAnthropic = kind == "anthropic";
                    cases.Add(
                        path,
                        kind,
                        isAnthropic ? "error-type=rate_limit_error" : "error-code=rate_limit_exceeded",
                        429
                    );
                    cases.Add(path, kind, isAnthropic ? "error-type=api_error" : "error-code=server_error", 500);
                }
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task As_the_first_event_it_is_answered_with_its_words_and_its_status(
        string path,
        string kind,
        string error,
        int status
    )
    {
        var model = $"{gateway.ModelThatFails(kind)}@error-after=0,error-message=It%20broke.,{error}";
        using var response = await gateway.PostAsync(BodyOf(path, model), Cancellation, path: path);
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.True((int)response.StatusCode == status, text);
        var body = JsonNode.Parse(text)!["error"]!;
        Assert.Equal("It broke.", body["message"]!.GetValue<string>());
        if (path != "/v1/messages" && kind != "anthropic")
            Assert.Equal(error.Split('=')[1], body["code"]!.GetValue<string>());
        if (path == "/v1/messages")
            Assert.Equal(status == 429 ? "rate_limit_error" : "api_error", body["type"]!.GetValue<string>());
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal("upstream-error", inference.Error!.Code);
        Assert.Equal(status, inference.Error.Status);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task In_the_middle_it_is_an_event_with_its_words(string path, string kind, string error, int status)
    {
        // Behind the first piece of text on every wire.
        var model = $"{gateway.ModelThatFails(kind)}@chunk-delay-ms=40,error-after=6,error-message=It%20broke.,{error}";
        using var response = await gateway.PostAsync(BodyOf(path, model), Cancellation, path: path);
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Contains("It broke.", text, StringComparison.Ordinal);
        if (path == "/v1/messages")
            Assert.Contains(status == 429 ? "rate_limit_error" : "api_error", text, StringComparison.Ordinal);
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal("upstream-error", inference.Error!.Code);
        Assert.Equal(200, inference.Error.Status);
    }

    private static string BodyOf(string path, string model) =>
        path switch
        {
            "/v1/responses" => $$"""{"model":"{{model}}","input":"Hello","stream":true}""",
            "/v1/messages" =>
                $$"""{"model":"{{model}}","max_tokens":100,"messages":[{"role":"user","content":"Hello"}],"stream":true}""",
            _ => $$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hello"}],"stream":true}""",
        };
}
