using System.Net;
using System.Text.Json;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class CommandTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private readonly FakeProvider _provider = fixture.Provider;

    [Fact]
    public async Task Commands_come_by_the_models_name_too()
    {
        using var response = await _provider.PostAsync(
            Wire.Chat(model: "gpt-fake@status=429,retry-after=3,header.x-one=1%2C2")
        );

        var error = await response.ErrorAsync(HttpStatusCode.TooManyRequests);
        Assert.Equal("3", Assert.Single(response.Headers.GetValues("retry-after")));
        Assert.Equal("1,2", Assert.Single(response.Headers.GetValues("x-one")));
        Assert.StartsWith(
            "Rate limit reached for gpt-fake in",
            error.GetProperty("message").GetString(),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("chunks=3,done=false", """{"chunks":3,"done":false}""")]
    [InlineData("text=a%3Db,bom", """{"text":"a=b","bom":true}""")]
    [InlineData("chunks=2,usage=zero,usage-in=every", """{"chunks":2,"usage":"zero","usage_in":"every"}""")]
    [InlineData(
        "tool-calls=2,interleave,finish-reason=stop",
        """{"tool_calls":2,"interleave":true,"finish_reason":"stop"}"""
    )]
    [InlineData("end-after=2+10,split-at=5;9", """{"end_after":"2+10","split_at":[5,9]}""")]
    public async Task Both_ways_of_commanding_mean_the_same(string name, string json)
    {
        var byName = await _provider.TextAsync(Wire.Chat("\"stream\":true", $"gpt-fake@{name}"));
        var byBody = await _provider.TextAsync(Wire.Chat($"\"stream\":true,\"x_upstream\":{json}"));

        Assert.Equal(WithoutCallIds(byBody), WithoutCallIds(byName));
    }

    [Fact]
    public async Task The_body_has_the_last_word()
    {
        var answer = await _provider.JsonAsync(
            Wire.Chat("\"x_upstream\":{\"text\":\"body\"}", "gpt-fake@text=name,finish-reason=length")
        );

        var choice = answer.GetProperty("choices")[0];
        Assert.Equal("body", choice.GetProperty("message").GetProperty("content").GetString());
        Assert.Equal("length", choice.GetProperty("finish_reason").GetString());
        Assert.Equal("gpt-fake", answer.GetProperty("model").GetString());
    }

    [Theory]
    [InlineData("""{"nonsense":1}""", "There is no command 'nonsense'. There are: arguments_chunk, as, attempts, ")]
    [InlineData("7", "The command 'x_upstream' takes an object with commands, not 7.")]
    [InlineData("""{"status":"429"}""", "The command 'status' takes a whole number from 200 to 599, not \"429\".")]
    [InlineData("""{"status":42}""", "The command 'status' takes a whole number from 200 to 599, not 42.")]
    [InlineData("""{"status":429.5}""", "The command 'status' takes a whole number from 200 to 599, not 429.5.")]
    [InlineData("""{"burst":1}""", "The command 'burst' takes true or false, not 1.")]
    [InlineData("""{"text":5}""", "The command 'text' takes a text, not 5.")]
    [InlineData(
        """{"usage":"some"}""",
        "The command 'usage' takes one of none, null, zero, wrong, details, minimal, not \"some\"."
    )]
    [InlineData(
        """{"cut_after":"soon"}""",
        "The command 'cut_after' takes a position: a number of events (3), with bytes of the next (3+17), or request, not \"soon\"."
    )]
    [InlineData("""{"cut_after":-1}""", "The command 'cut_after' takes a position: ")]
    [InlineData("""{"cut_after":99}""", "The command 'cut_after' names the position 99, but the answer has 1 events.")]
    [InlineData(
        """{"stall_after":"0+9999"}""",
        "The command 'stall_after' names the position 0+9999, which lies behind the end of that event."
    )]
    [InlineData(
        """{"cut_after":"1+1"}""",
        "The command 'cut_after' names the position 1+1, which lies behind the end of that event."
    )]
    [InlineData(
        """{"cut_after":0,"stall_after":0}""",
        "The commands 'cut_after' and 'stall_after' exclude each other."
    )]
    [InlineData("""{"end_after":"request"}""", "The command 'end_after' cannot end what has not begun.")]
    [InlineData("""{"text":"a","echo":true}""", "The commands 'text' and 'echo' exclude each other.")]
    [InlineData("""{"text":"ab","chunks":3}""", "The command 'chunks' asks for 3 pieces of a text of 2 characters.")]
    [InlineData("""{"comment":"a\nb"}""", "The command 'comment' takes one line of text, not \"a\\nb\".")]
    [InlineData("""{"body_base64":"%"}""", "The command 'body_base64' takes a text in base64, not \"%\".")]
    [InlineData("""{"headers":{"a b":"c"}}""", "'a b' is no name of a header.")]
    [InlineData("""{"headers":{"x":"€"}}""", "The value of the header 'x' is not one of Latin-1.")]
    [InlineData("""{"headers":{"Content-Length":"3"}}""", "The header 'Content-Length' follows from the body; ")]
    [InlineData("""{"headers":{"connection":"x"}}""", "The header 'connection' comes with 'hop_headers' only.")]
    [InlineData("""{"headers":3}""", "The command 'headers' takes an object of header names and values, not 3.")]
    [InlineData(
        """{"tool_calls":[3]}""",
        "The command 'tool_calls' takes a number, or an array of objects with name, arguments and id, not 3."
    )]
    [InlineData(
        """{"tool_calls":[{"nome":"x"}]}""",
        "The command 'tool_calls' takes objects with name, arguments and id, not {\"nome\":\"x\"}."
    )]
    [InlineData("""{"times":1}""", "The command 'times' needs a 'marker', by which the requests are counted.")]
    [InlineData(
        """{"attempts":[],"marker":"m"}""",
        "The command 'attempts' takes an array of objects with commands, not []."
    )]
    public async Task A_wrong_command_is_refused_with_a_sentence(string commands, string sentence)
    {
        using var response = await _provider.PostAsync(Wire.Chat($"\"x_upstream\":{commands}"));

        var error = await response.ErrorAsync(HttpStatusCode.BadRequest);
        Assert.StartsWith(sentence, error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("wrong_command", error.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("gpt-fake@", "There is no command ''. ")]
    [InlineData("gpt-fake@status", "The command 'status' takes a whole number from 200 to 599, not .")]
    [InlineData("gpt-fake@status=429,,", "There is no command ''. ")]
    [InlineData(
        "gpt-fake@garbage-after=5",
        "The command 'garbage_after' names the position 5, but the answer has 4 events."
    )]
    [InlineData(
        "gpt-fake@error-after=9",
        "The command 'error_after' names the position 9, but the answer has 4 events."
    )]
    public async Task A_wrong_command_in_the_models_name_is_refused_too(string model, string sentence)
    {
        using var response = await _provider.PostAsync(
            Wire.Chat("\"stream\":true,\"x_upstream\":{\"chunks\":2}", model)
        );

        var error = await response.ErrorAsync(HttpStatusCode.BadRequest);
        Assert.StartsWith(sentence, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_first_so_many_requests_of_a_marker_obey()
    {
        var body = Wire.Chat(
            $$"""
            "x_upstream":{"status":503,"times":2,"marker":"{{Guid.NewGuid()}}"}
            """
        );

        Assert.Equal([503, 503, 200, 200], await StatusesAsync(body, 4));
    }

    [Fact]
    public async Task Each_attempt_may_have_commands_of_its_own_and_the_last_repeat()
    {
        var body = Wire.Chat(
            $$"""
            "x_upstream":{"attempts":[{"status":429},{"status":500},{}],"marker":"{{Guid.NewGuid()}}"}
            """
        );

        Assert.Equal([429, 500, 200, 200], await StatusesAsync(body, 4));
    }

    [Theory]
    [InlineData("{", null)]
    [InlineData("[]", null)]
    [InlineData("""{"model":"gpt-fake","messages":[]} x""", null)]
    [InlineData("", null)]
    public async Task A_body_that_is_no_json_object_is_refused_like_at_openai(string body, string? code)
    {
        using var response = await _provider.PostAsync(body);

        var error = await response.ErrorAsync(HttpStatusCode.BadRequest);
        Assert.StartsWith(
            "We could not parse the JSON body of your request.",
            error.GetProperty("message").GetString(),
            StringComparison.Ordinal
        );
        Assert.Equal(code, error.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("""{"messages":[]}""", "you must provide a model parameter")]
    [InlineData("""{"model":"","messages":[]}""", "you must provide a model parameter")]
    [InlineData("""{"model":5,"messages":[]}""", "you must provide a model parameter")]
    [InlineData("""{"model":"gpt-fake"}""", "Missing required parameter: 'messages'.")]
    [InlineData("""{"model":"gpt-fake","messages":"hi"}""", "Missing required parameter: 'messages'.")]
    public async Task A_request_without_its_necessary_fields_is_refused_like_at_openai(string body, string message)
    {
        using var response = await _provider.PostAsync(body);

        Assert.Equal(
            message,
            (await response.ErrorAsync(HttpStatusCode.BadRequest)).GetProperty("message").GetString()
        );
    }

    [Fact]
    public async Task An_unknown_url_and_a_wrong_method_are_refused_like_at_openai()
    {
        using var unknown = await _provider.GetAsync("nothing");
        using var method = await _provider.GetAsync("chat/completions");

        Assert.Equal(
            "Invalid URL (GET /v1/nothing)",
            (await unknown.ErrorAsync(HttpStatusCode.NotFound)).GetProperty("message").GetString()
        );
        Assert.Equal(
            "method_not_supported",
            (await method.ErrorAsync(HttpStatusCode.MethodNotAllowed)).GetProperty("code").GetString()
        );
    }

    [Fact]
    public async Task Fields_that_the_provider_does_not_know_are_accepted()
    {
        var answer = await _provider.JsonAsync(
            Wire.Chat(
                """
                "stream":false,"stream_options":null,"n":"two","tools":{"a":[1,{"b":2}]},"metadata":{"stream":true,"model":"x"},
                "temperature":0.5,"x_upstream":{"tool_calls":1}
                """
            )
        );

        Assert.Equal(JsonValueKind.Object, answer.GetProperty("choices")[0].GetProperty("message").ValueKind);
    }

    private static string WithoutCallIds(string text) =>
        string.Join(
            "call_",
            Wire.Fixed(text).Split("call_").Select(static part => part.TrimStart("0123456789".ToCharArray()))
        );

    private async Task<List<int>> StatusesAsync(string body, int count)
    {
        var statuses = new List<int>();
        for (var attempt = 0; attempt < count; attempt++)
        {
            using var response = await _provider.PostAsync(body);
            statuses.Add((int)response.StatusCode);
        }

        return statuses;
    }
}
