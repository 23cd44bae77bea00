using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed partial class OtherEndpointTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private readonly FakeProvider _provider = fixture.Provider;

    [Fact]
    public async Task An_embedding_has_the_shape_of_openais()
    {
        var text = await TextAsync("embeddings", """{"model":"emb-fake","input":"Hi","dimensions":2}""");

        Assert.Matches(
            """^\{\n  "object": "list",\n  "data": \[\n    \{\n      "object": "embedding",\n      "index": 0,\n      "embedding": \[\n        -?0\.[0-9]+,\n        -?0\.[0-9]+\n      \]\n    \}\n  \],\n  "model": "emb-fake",\n  "usage": \{\n    "prompt_tokens": 19,\n    "total_tokens": 19\n  \}\n\}\n$""",
            text
        );
    }

    [Theory]
    [InlineData("\"Hi\"", 1)]
    [InlineData("[\"Hi\",\"you\"]", 2)]
    [InlineData("[15496,11]", 1)]
    [InlineData("[[15496,11],[3],[4]]", 3)]
    public async Task Inputs_are_texts_or_tokens_one_or_many(string input, int count)
    {
        var answer = await JsonAsync("embeddings", $$"""{"model":"emb-fake","input":{{input}}}""");

        Assert.Equal(count, answer.GetProperty("data").GetArrayLength());
        Assert.Equal(1536, answer.GetProperty("data")[0].GetProperty("embedding").GetArrayLength());
        Assert.Equal(19 * count, answer.GetProperty("usage").GetProperty("total_tokens").GetInt32());
    }

    [Fact]
    public async Task Base64_has_the_same_figures_and_they_are_of_length_one()
    {
        var floats = await JsonAsync("embeddings", """{"model":"emb-fake","input":["Hi","you"],"dimensions":256}""");
        var encoded = await JsonAsync(
            "embeddings",
            """{"model":"emb-fake","input":["Hi","you"],"dimensions":256,"encoding_format":"base64"}"""
        );

        var vectors = floats
            .GetProperty("data")
            .EnumerateArray()
            .Select(static e => e.GetProperty("embedding").EnumerateArray().Select(static v => v.GetSingle()).ToArray())
            .ToList();
        Assert.Equal(
            vectors,
            encoded
                .GetProperty("data")
                .EnumerateArray()
                .Select(static e =>
                    MemoryMarshal.Cast<byte, float>(e.GetProperty("embedding").GetBytesFromBase64()).ToArray()
                )
        );
        Assert.All(vectors, static v => Assert.Equal(1.0, v.Sum(static x => (double)x * x), 5));
        Assert.NotEqual(vectors[0], vectors[1]);
    }

    [Theory]
    [InlineData("embeddings", """{"model":"m"}""", "Missing required parameter: 'input'.")]
    [InlineData("embeddings", """{"input":"x"}""", "Missing required parameter: 'model'.")]
    [InlineData("embeddings", """{"model":"m","input":""}""", "Invalid 'input': input cannot be an empty string.")]
    [InlineData("embeddings", """{"model":"m","input":[]}""", "Invalid 'input': input cannot be an empty array.")]
    [InlineData("embeddings", """{"model":"m","input":{}}""", "Invalid type for 'input': expected an array, ")]
    [InlineData("embeddings", """{"model":"m","input":"x","encoding_format":"hex"}""", "Invalid value: 'hex'. ")]
    [InlineData(
        "embeddings",
        """{"model":"m@text=a","input":"x"}""",
        "The command 'text' means nothing for embeddings."
    )]
    [InlineData("moderations", """{"model":"m"}""", "Missing required parameter: 'input'.")]
    [InlineData(
        "embeddings",
        """{"model":"m","input":"x","dimensions":9999999999}""",
        "Invalid value for 'dimensions' = "
    )]
    [InlineData(
        "completions",
        """{"model":"m","prompt":"x","n":9999999999}""",
        "Invalid 'n': integer above maximum value. "
    )]
    [InlineData(
        "responses",
        """{"model":"m","input":"x","previous_response_id":5}""",
        "Invalid type for 'previous_response_id': "
    )]
    [InlineData("completions", """{"model":"m","messages":[]}""", "Unknown parameter: 'messages'.")]
    [InlineData(
        "completions",
        """{"model":"m@tool-calls=1","prompt":"x"}""",
        "The command 'tool_calls' means nothing "
    )]
    public async Task A_wrong_request_is_refused(string path, string body, string message)
    {
        using var response = await _provider.PostAsync(path, Wire.Json(body));

        var error = await response.ErrorAsync(HttpStatusCode.BadRequest);
        Assert.StartsWith(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fields_that_are_null_are_as_if_absent()
    {
        await TextAsync("embeddings", """{"model":"m","input":"x","dimensions":null,"encoding_format":null}""");
        await TextAsync("completions", """{"model":"m","prompt":null,"n":null,"stream":null}""");
        await TextAsync(
            "responses",
            """{"model":"m","input":"x","include":[5],"tools":null,"previous_response_id":null}"""
        );
    }

    [Theory]
    [InlineData("embeddings", """{"model":"m@status=429,retry-after=2","input":"x"}""")]
    [InlineData("moderations", """{"input":"x","x_upstream":{"status":429,"retry_after":2}}""")]
    [InlineData("completions", """{"model":"m","prompt":"x","x_upstream":{"status":429,"retry_after":2}}""")]
    public async Task Errors_come_on_command(string path, string body)
    {
        using var response = await _provider.PostAsync(path, Wire.Json(body));

        await response.ErrorAsync(HttpStatusCode.TooManyRequests);
        Assert.Equal("2", Assert.Single(response.Headers.GetValues("retry-after")));
    }

    [Theory]
    [InlineData("\"Hi\"", 1)]
    [InlineData("[\"Hi\",\"you\"]", 2)]
    [InlineData(
        """[{"type":"text","text":"Hi"},{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]""",
        1
    )]
    public async Task A_moderation_finds_nothing_unless_commanded(string input, int count)
    {
        var clean = await JsonAsync("moderations", $$"""{"input":{{input}}}""");
        var flagged = await JsonAsync("moderations", $$"""{"x_upstream":{"filtered":true},"input":{{input}} }""");

        Assert.Equal("omni-moderation-latest", clean.GetProperty("model").GetString());
        Assert.StartsWith("modr-", clean.GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal(count, clean.GetProperty("results").GetArrayLength());
        Assert.False(clean.GetProperty("results")[0].GetProperty("flagged").GetBoolean());
        var result = flagged.GetProperty("results")[0];
        Assert.True(result.GetProperty("flagged").GetBoolean());
        Assert.True(result.GetProperty("categories").GetProperty("violence").GetBoolean());
        Assert.Equal(13, result.GetProperty("category_scores").EnumerateObject().Count());
        Assert.Equal(
            input.Contains("image_url", StringComparison.Ordinal) ? 2 : 1,
            result.GetProperty("category_applied_input_types").GetProperty("violence").GetArrayLength()
        );
    }

    [Fact]
    public async Task A_legacy_completion_is_openais_to_the_byte()
    {
        var text = await TextAsync(
            "completions",
            """{"model":"gpt-fake","prompt":"Say","x_upstream":{"usage":"minimal"}}"""
        );

        Assert.Equal(
            """
            {
              "id": "cmpl-ID",
              "object": "text_completion",
              "created": 1,
              "model": "gpt-fake",
              "choices": [
                {
                  "text": "Hello! How can I assist you today?",
                  "index": 0,
                  "logprobs": null,
                  "finish_reason": "stop"
                }
              ],
              "usage": {
                "prompt_tokens": 19,
                "completion_tokens": 9,
                "total_tokens": 28
              }
            }

            """,
            Fixed(text)
        );
    }

    [Fact]
    public async Task A_legacy_stream_is_openais_to_the_byte()
    {
        var events = Wire.EventsIn(
            await TextAsync(
                "completions",
                """
                {"model":"gpt-fake","prompt":["a","b"],"stream":true,"stream_options":{"include_usage":true},"x_upstream":{"text":"Hi","usage":"minimal"}}
                """
            )
        );

        const string Head = """{"id":"cmpl-ID","object":"text_completion","created":1,"choices":[""";
        Assert.Equal(
            [
                Head
                    + """{"text":"Hi","index":0,"logprobs":null,"finish_reason":null}],"model":"gpt-fake","usage":null}""",
                Head
                    + """{"text":"Hi","index":1,"logprobs":null,"finish_reason":null}],"model":"gpt-fake","usage":null}""",
                Head
                    + """{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}],"model":"gpt-fake","usage":null}""",
                Head
                    + """{"text":"","index":1,"logprobs":null,"finish_reason":"stop"}],"model":"gpt-fake","usage":null}""",
                Head + """],"model":"gpt-fake","usage":{"prompt_tokens":19,"completion_tokens":2,"total_tokens":21}}""",
                "[DONE]",
            ],
            events.Select(Fixed)
        );
    }

    [Theory]
    [InlineData("""{"error_after":1}""", 2)]
    [InlineData("""{"garbage_after":1}""", 12)]
    [InlineData("""{"done":false}""", 10)]
    [InlineData("""{"chunks":3}""", 5)]
    public async Task A_legacy_stream_obeys_too(string commands, int count)
    {
        var events = Wire.EventsIn(
            await TextAsync("completions", $$"""{"model":"m","prompt":"x","stream":true,"x_upstream":{{commands}}}""")
        );

        Assert.Equal(count, events.Length);
    }

    [Theory]
    [InlineData("embeddings", """{"model":"m","input":"x","dimensions":8}""")]
    [InlineData("moderations", """{"input":"x"}""")]
    [InlineData("completions", """{"model":"m","prompt":"x","stream":true}""")]
    public async Task Without_a_record_answers_are_the_same(string path, string body)
    {
        await using var fast = await FakeProvider.StartAsync(
            new FakeProviderOptions { Record = false },
            TestContext.Current.CancellationToken
        );

        var expected = Fixed(await TextAsync(path, body));
        for (var time = 0; time < 2; time++)
        {
            using var response = await fast.PostAsync(path, Wire.Json(body));
            Assert.Equal(expected, Fixed(await response.TextAsync()));
        }
    }

    private async Task<string> TextAsync(string path, string body)
    {
        using var response = await _provider.PostAsync(path, Wire.Json(body));
        return await response.TextAsync();
    }

    private async Task<JsonElement> JsonAsync(string path, string body) =>
        JsonElement.Parse(await TextAsync(path, body));

    private static string Fixed(string text) =>
        CreatedPattern().Replace(IdPattern().Replace(text, "${kind}-ID"), "${field}1");

    [GeneratedRegex("(?<kind>cmpl|modr)-[0-9a-f]{29,32}(?=\")", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex IdPattern();

    [GeneratedRegex("""(?<field>"created": ?)[0-9]{10}(?=,)""", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CreatedPattern();
}
