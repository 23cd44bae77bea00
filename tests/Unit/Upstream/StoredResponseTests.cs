using System.Net;
using System.Text.Json;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class StoredResponseTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private readonly FakeProvider _provider = fixture.Provider;

    [Fact]
    public async Task A_response_may_be_asked_for_again_and_deleted()
    {
        var created = await _provider.ResponseTextAsync(ResponsesWire.Request());
        var id = ResponsesWire.IdOf(created);

        using (var again = await _provider.GetAsync($"responses/{id}"))
            Assert.Equal(created, await again.TextAsync());
        using (var deleted = await _provider.SendAsync(HttpMethod.Delete, $"responses/{id}"))
        {
            Assert.Equal(
                $"{{\n  \"id\": \"{id}\",\n  \"object\": \"response\",\n  \"deleted\": true\n}}\n",
                await deleted.TextAsync()
            );
        }

        using var gone = await _provider.GetAsync($"responses/{id}");
        Assert.Equal(
            $"Response with id '{id}' not found.",
            (await gone.ErrorAsync(HttpStatusCode.NotFound)).GetProperty("message").GetString()
        );
    }

    [Fact]
    public async Task What_is_not_to_be_stored_is_not()
    {
        var id = ResponsesWire.IdOf(await _provider.ResponseTextAsync(ResponsesWire.Request("\"store\":false")));

        using var response = await _provider.GetAsync($"responses/{id}");
        await response.ErrorAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_response_in_the_background_goes_on_by_being_asked_for()
    {
        var queued = await _provider.ResponseTextAsync(
            ResponsesWire.Request("\"background\":true,\"x_upstream\":{\"polls\":2}")
        );

        var statuses = new List<string?> { JsonElement.Parse(queued).GetProperty("status").GetString() };
        for (var poll = 0; poll < 3; poll++)
            statuses.Add(
                (await _provider.GetJsonAsync($"responses/{ResponsesWire.IdOf(queued)}"))
                    .GetProperty("status")
                    .GetString()
            );
        Assert.Equal(["queued", "in_progress", "in_progress", "completed"], statuses);
    }

    [Fact]
    public async Task A_response_in_the_background_may_be_cancelled()
    {
        var id = ResponsesWire.IdOf(await _provider.ResponseTextAsync(ResponsesWire.Request("\"background\":true")));
        using var cancelled = await _provider.SendAsync(HttpMethod.Post, $"responses/{id}/cancel");

        Assert.Equal("cancelled", JsonElement.Parse(await cancelled.TextAsync()).GetProperty("status").GetString());
        Assert.Equal("cancelled", (await _provider.GetJsonAsync($"responses/{id}")).GetProperty("status").GetString());

        var other = ResponsesWire.IdOf(await _provider.ResponseTextAsync(ResponsesWire.Request()));
        using var refused = await _provider.SendAsync(HttpMethod.Post, $"responses/{other}/cancel");
        Assert.Equal(
            "Cannot cancel a synchronous response.",
            (await refused.ErrorAsync(HttpStatusCode.BadRequest)).GetProperty("message").GetString()
        );
    }

    [Fact]
    public async Task A_stream_in_the_background_may_be_resumed_after_any_event()
    {
        var marker = Guid.NewGuid().ToString("N");
        string id;
        using (
            var cut = await _provider.RespondAsync(
                ResponsesWire.Request(
                    $"\"stream\":true,\"background\":true,\"x_upstream\":{{\"stall_after\":5,\"marker\":\"{marker}\"}}"
                )
            )
        )
        {
            await (await _provider.Requests.FirstAsync(marker, TestContext.Current.CancellationToken)).EventsAsync(
                5,
                TestContext.Current.CancellationToken
            );
            id = ResponsesWire.IdOf(
                System.Text.Encoding.UTF8.GetString(
                    (await _provider.Requests.FirstAsync(marker, TestContext.Current.CancellationToken)).SentBody
                )
            );
        }

        using var whole = await _provider.GetAsync($"responses/{id}?stream=true");
        using var rest = await _provider.GetAsync($"responses/{id}?stream=true&starting_after=4");

        var all = Wire.NamedEventsIn(await whole.TextAsync());
        ResponsesWire.AssertNumbered(all);
        Assert.Equal(
            ["response.created", "response.queued", "response.in_progress"],
            all.Take(3).Select(static e => e.Name)
        );
        var resumed = Wire.NamedEventsIn(await rest.TextAsync());
        Assert.Equal(all[5..].Select(static e => e.Data.GetRawText()), resumed.Select(static e => e.Data.GetRawText()));
        Assert.Equal(id, resumed[^1].Data.GetProperty("response").GetProperty("id").GetString());
    }

    [Fact]
    public async Task Only_a_stream_in_the_background_is_streamed_again()
    {
        var id = ResponsesWire.IdOf(await _provider.ResponseTextAsync(ResponsesWire.Request("\"stream\":true")));

        using var response = await _provider.GetAsync($"responses/{id}?stream=true");
        Assert.Equal("stream", (await response.ErrorAsync(HttpStatusCode.BadRequest)).GetProperty("param").GetString());
    }

    [Fact]
    public async Task Input_items_come_in_pages_with_the_newest_first()
    {
        var id = ResponsesWire.IdOf(
            await _provider.ResponseTextAsync(
                """
                {"model":"gpt-fake","input":[{"role":"user","content":"Hi"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"ok"}]}
                """
            )
        );

        var first = await _provider.GetJsonAsync($"responses/{id}/input_items?limit=2");
        var last = await _provider.GetJsonAsync(
            $"responses/{id}/input_items?after={first.GetProperty("last_id").GetString()}"
        );
        Assert.Equal(["function_call_output", "function_call"], Types(first));
        Assert.True(first.GetProperty("has_more").GetBoolean());
        Assert.Equal(["message"], Types(last));
        Assert.Equal(
            """[{"type":"input_text","text":"Hi"}]""",
            last.GetProperty("data")[0]
                .GetProperty("content")
                .GetRawText()
                .Replace("\n", "", StringComparison.Ordinal)
                .Replace(" ", "", StringComparison.Ordinal)
        );

        static IEnumerable<string?> Types(JsonElement page) =>
            page.GetProperty("data").EnumerateArray().Select(static i => i.GetProperty("type").GetString());
    }

    [Fact]
    public async Task A_conversation_goes_on_from_the_response_before()
    {
        var first = await _provider.ResponseAsync(ResponsesWire.Request("\"x_upstream\":{\"tool_calls\":1}"));
        var previous = $"\"previous_response_id\":\"{first.GetProperty("id").GetString()}\"";
        var call = first.GetProperty("output")[0].GetProperty("call_id").GetString();

        await _provider.ResponseTextAsync(
            $$"""{"model":"gpt-fake",{{previous}},"input":[{"type":"function_call_output","call_id":"{{call}}","output":"ok"}]}"""
        );
        await _provider.ResponseRefusedAsync(
            ResponsesWire.Request(previous),
            $"No tool output found for function call {call}."
        );
        await _provider.ResponseRefusedAsync(
            ResponsesWire.Request("\"previous_response_id\":\"resp_none\""),
            "Previous response with id 'resp_none' not found."
        );
    }

    [Theory]
    [InlineData("""{"input":"Hi"}""", "Missing required parameter: 'model'.")]
    [InlineData("""{"model":"m"}""", "One of \"input\" or \"previous_response_id\" ")]
    [InlineData("""{"model":"m","messages":[]}""", "Unknown parameter: 'messages'.")]
    [InlineData(
        """{"model":"m","input":5}""",
        "Invalid type for 'input': expected an array, but got an integer instead."
    )]
    [InlineData(
        """{"model":"m","input":"x","max_output_tokens":1}""",
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 1 instead."
    )]
    [InlineData(
        """{"model":"m","input":[{"role":"tool","content":"x"}]}""",
        "Invalid value: 'tool'. Supported values are: 'assistant', 'system', 'developer', and 'user'."
    )]
    [InlineData(
        """{"model":"m","input":[{"role":"user","content":[{"type":"text","text":"x"}]}]}""",
        "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', 'input_file', and 'input_audio'."
    )]
    [InlineData(
        """{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":{"url":"x"}}]}]}""",
        "Invalid type for 'input[0].content[0].image_url': expected a string, but got an object instead."
    )]
    [InlineData(
        """{"model":"m","input":"x","tools":[{"type":"function","function":{"name":"f"}}]}""",
        "Missing required parameter: 'tools[0].name'."
    )]
    [InlineData(
        """{"model":"m","input":"x","text":{"format":{"type":"json_schema","json_schema":{}}}}""",
        "Missing required parameter: 'text.format.name'."
    )]
    [InlineData(
        """{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":"x"}]}""",
        "No tool call found for function call output with call_id c."
    )]
    [InlineData(
        """{"model":"m","input":"x","x_upstream":{"choices":"null"}}""",
        "The command 'choices' means nothing "
    )]
    [InlineData("[]", "We could not parse the JSON body of your request.")]
    public async Task A_wrong_request_is_refused(string body, string message) =>
        await _provider.ResponseRefusedAsync(body, message);

    [Fact]
    public async Task Without_a_record_answers_are_the_same_and_nothing_is_kept()
    {
        await using var fast = await FakeProvider.StartAsync(
            new FakeProviderOptions { Record = false },
            TestContext.Current.CancellationToken
        );
        foreach (
            var body in new[]
            {
                ResponsesWire.Request(),
                ResponsesWire.Request("\"stream\":true"),
                ResponsesWire.Request("\"nonsense\":1"),
            }
        )
        {
            using var expected = await _provider.RespondAsync(body);
            for (var time = 0; time < 2; time++)
            {
                using var response = await fast.PostAsync("responses", Wire.Json(body));
                Assert.Equal(
                    ResponsesWire.Fixed(await expected.TextAsync(response.StatusCode)),
                    ResponsesWire.Fixed(await response.TextAsync(expected.StatusCode))
                );
            }
        }

        using var created = await fast.PostAsync("responses", Wire.Json(ResponsesWire.Request()));
        using var again = await fast.GetAsync($"responses/{ResponsesWire.IdOf(await created.TextAsync())}");
        await again.ErrorAsync(HttpStatusCode.NotFound);
    }
}
