using System.Globalization;
using System.Text;
using Verbatim.Modules.Audit.Changes;
using Verbatim.Modules.Audit.Replay;

namespace Verbatim.Tests.Unit.Audit.Replay;

public sealed class JsonTextTests
{
    [Fact]
    public void Small_values_stay_on_their_line()
    {
        Assert.Equal(
            """
            model: "simulator"
            stream: false
            temperature: 0.20
            stop: ["a", "b"]
            usage: { input: 3, output: null }
            tools: []
            metadata: {}

            """,
            Render(
                """
                {"model":"simulator","stream":false,"temperature":0.20,"stop":["a","b"],
                 "usage":{"input":3,"output":null},"tools":[],"metadata":{}}
                """
            )
        );
    }

    [Fact]
    public void Large_values_are_indented_and_long_texts_wrapped_behind_a_bar()
    {
        Assert.Equal(
            """
            tools:
              - type: "function"
                function:
                  name: "weather"
                  description:
                    │ Tells the weather of a
                    │ place, if it is known.
                  strict: true
              - type: "other"
                list:
                  - [1, 2]
                  - - { a: 1 }
                    - 3

            """,
            Render(
                """
                {"tools":[
                  {"type":"function","function":{"name":"weather",
                    "description":"Tells the weather of a place, if it is known.","strict":true}},
                  {"type":"other","list":[[1,2],[{"a":1},3]]}]}
                """,
                width: 34
            )
        );
    }

    [Fact]
    public void A_dialogue_reads_as_one()
    {
        Assert.Equal(
            """
            messages:
              system    │ You are terse.
              user      │ Why is the sky blue?
                        │ Say it in one line.
              assistant │ → weather({"city":"Bonn"})  call_1
              tool      │ Rain.
                          tool_call_id: "call_1"
              assistant │ It rains.

            """,
            Render(
                """
                {"messages":[
                  {"role":"system","content":"You are terse."},
                  {"role":"user","content":[{"type":"text","text":"Why is the sky blue?"},{"type":"text","text":"Say it in one line."}]},
                  {"role":"assistant","content":null,"refusal":null,"tool_calls":[
                    {"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Bonn\"}"}}]},
                  {"role":"tool","tool_call_id":"call_1","content":"Rain."},
                  {"role":"assistant","content":"It rains.","annotations":[]}]}
                """
            )
        );
    }

    [Fact]
    public void An_answer_reads_as_what_the_model_said()
    {
        Assert.Equal(
            """
            id: "chatcmpl-1"
            choices:
              - index: 0
                message:
                  assistant │ Rayleigh scattering.
                finish_reason: "stop"

            """,
            Render(
                """
                {"id":"chatcmpl-1","choices":[{"index":0,
                  "message":{"role":"assistant","content":"Rayleigh scattering."},"finish_reason":"stop"}]}
                """
            )
        );
    }

    [Fact]
    public void Anthropics_blocks_are_said_too()
    {
        Assert.Equal(
            """
            messages:
              user      │ Bonn?
                          content:
                            - type: "image"
                              source: { type: "base64", data: "aGk=" }
                            - { type: "text", text: "Bonn?" }
              assistant │ Let me see.
                        │ → weather({"city": "Bonn"})  toolu_1

            """,
            Render(
                """
                {"messages":[
                  {"role":"user","content":[{"type":"image","source":{"type":"base64","data":"aGk="}},{"type":"text","text":"Bonn?"}]},
                  {"role":"assistant","content":[{"type":"text","text":"Let me see."},
                    {"type":"tool_use","id":"toolu_1","name":"weather","input":{"city": "Bonn"}}]}]}
                """
            )
        );
    }

    [Fact]
    public void What_a_message_has_besides_is_not_left_out()
    {
        Assert.Contains(
            "cache_control: { type: \"ephemeral\" }",
            Render("""{"messages":[{"role":"user","content":"Hi","cache_control":{"type":"ephemeral"}}]}"""),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_message_that_says_two_things_under_one_name_shows_both()
    {
        var text = Render("""{"messages":[{"role":"user","content":"nice","cont\u0065nt":"evil"}]}""");

        Assert.Contains("\"nice\"", text, StringComparison.Ordinal);
        Assert.Contains("\"evil\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_cannot_pass_for_the_record_around_it()
    {
        var text = Render("""{"a":"x\", status: \"completed","b":"one\n2 gateway.inference-completed\u001b[2K"}""");

        Assert.Equal(
            """
            a: "x\", status: \"completed"
            b:
              │ one
              │ 2 gateway.inference-completed\u001b[2K

            """,
            text
        );
    }

    [Fact]
    public void A_long_text_is_cut_unless_all_is_asked_for()
    {
        var lines = string.Join("\\n", Enumerable.Range(1, 40).Select(n => $"line {n}"));

        var cut = Render($$"""{"text":"{{lines}}"}""");
        var full = Render($$"""{"text":"{{lines}}"}""", isFull: true);

        Assert.EndsWith("  │ line 12\n  │ … 28 more lines\n", cut, StringComparison.Ordinal);
        Assert.EndsWith("  │ line 40\n", full, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_list_is_cut_in_the_middle_unless_all_is_asked_for()
    {
        var messages = string.Join(
            ",",
            Enumerable.Range(1, 100).Select(n => $$"""{"role":"user","content":"message {{n}}"}""")
        );

        var cut = Render($$"""{"messages":[{{messages}}]}""");
        var full = Render($$"""{"messages":[{{messages}}]}""", isFull: true);

        Assert.Contains("message 4\n  … 84 more …\n  user │ message 89\n", cut, StringComparison.Ordinal);
        Assert.Contains("message 50", full, StringComparison.Ordinal);
    }

    // Bodies are stored as they came: neither needs to be what JSON's strings should be.
    [Fact]
    public void Text_that_is_not_unicode_is_shown_as_well_as_can_be()
    {
        var half = Render("""{"a":"half \ud800","\udc00":1}""");
        var broken = Render([.. "{\"a\":\""u8, 0xFF, .. "\"}"u8]);

        Assert.Equal("a: \"half \\\\ud800\"\n\"\\\\udc00\": 1\n", half);
        Assert.Equal("a: \"\uFFFD\"\n", broken);
    }

    [Fact]
    public void Nesting_without_end_ends_in_one_line()
    {
        var text = Render(string.Concat(Enumerable.Repeat("{\"a\":", 500)) + "1" + new string('}', 500));

        Assert.InRange(text.Split('\n').Length, 10, 40);
        Assert.Contains("…", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Colours_tell_names_from_speakers()
    {
        Assert.Equal(
            "\u001b[36mn\u001b[0m: 1\n\u001b[36mm\u001b[0m:\n  \u001b[1;35muser\u001b[0m \u001b[2m│\u001b[0m Hi\n",
            Render("""{"n":1,"m":[{"role":"user","content":"Hi"}]}""", hasColor: true)
        );
    }

    private static string Render(string json, int width = 80, bool isFull = false, bool hasColor = false) =>
        Render(Encoding.UTF8.GetBytes(json), width, isFull, hasColor);

    private static string Render(byte[] json, int width = 80, bool isFull = false, bool hasColor = false)
    {
        using var document = JsonLook.TryParse(json);
        var output = new StyledWriter(new Terminal(width, hasColor));
        var text = new JsonText(output, isFull);
        text.Write(document!.RootElement, 0);
        var rendered = output.Take();
        Assert.Equal(rendered.Contains('…', StringComparison.Ordinal), text.HasCut);
        return rendered.ToString(CultureInfo.InvariantCulture);
    }
}
