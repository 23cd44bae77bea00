using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

/// <summary>Requests of nothing but what every wire can say.</summary>
internal static class Conversations
{
    private static readonly Gen<string> Text = Gen.Elements(
        "Hi",
        "a \\\"b\\\"\\n",
        "é語😀",
        "\\u00e9\\ud83d\\ude00",
        "{\\\"x\\\":1}",
        " lead"
    );

    private static readonly Gen<string> Arguments = Gen.Elements(
        "{}",
        "{\\\"a\\\": 1.0}",
        "{\\\"b\\\":[\\\"c\\\\n\\\",null]}"
    );

    private static readonly Gen<string> UserPart = Gen.OneOf(
        Text.Select(t => $$"""{"type":"text","text":"{{t}}"}"""),
        Gen.Constant("""{"type":"image_url","image_url":{"url":"https://example.org/a.png"}}"""),
        Gen.Constant("""{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}""")
    );

    private static readonly Gen<string> Exchange =
        from user in UserPart.NonEmptyListOf()
        from answer in Text
        from calls in Arguments.ListOf()
        from result in Text
        select User(user) + "," + Assistant(answer, [.. calls], result);

    private static readonly Gen<string> Setting = Gen.Elements(
        "\"temperature\":0.25",
        "\"top_p\":0.5",
        "\"stream\":true",
        "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"type\":\"object\",\"properties\":{}},\"strict\":true}}],\"tool_choice\":\"required\",\"parallel_tool_calls\":false",
        "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"answer\",\"schema\":{\"type\":\"object\"},\"strict\":true}}",
        "\"user\":\"u-1\"",
        "\"reasoning_effort\":\"high\""
    );

    private static readonly Gen<string> Chat =
        from system in Text
        from exchanges in Exchange.NonEmptyListOf()
        from last in Text
        from settings in Setting.ListOf()
        select $$"""
            {"model":"m","max_tokens":4000,"messages":[{"role":"system","content":"{{system}}"},{{string.Join(
                ',',
                exchanges
            )}},{"role":"user","content":"{{last}}"}]
            """
            + string.Concat(settings.Distinct(StringComparer.Ordinal).Select(s => "," + s))
            + "}";

    /// <summary>Bodies of this wire.</summary>
    public static Gen<string> Bodies(Operation wire) =>
        wire == Operation.ChatCompletions
            ? Chat
            : Chat.Select(body =>
                Translated.BodyOf(
                    Translated.Open(
                        Operation.ChatCompletions,
                        wire,
                        body,
                        wire == Operation.Messages ? "claude-opus-4-6" : "gpt-5"
                    )
                )
            );

    private static string User(IEnumerable<string> parts) =>
        $$"""{"role":"user","content":[{{string.Join(',', parts)}}]}""";

    private static string Assistant(string answer, string[] calls, string result)
    {
        if (calls.Length == 0)
            return $$"""{"role":"assistant","content":"{{answer}}"}""";
        var json = new StringBuilder($$"""{"role":"assistant","content":"{{answer}}","tool_calls":[""");
        json.AppendJoin(
            ',',
            calls.Select(
                (c, i) => $$$"""{"id":"call_{{{i}}}","type":"function","function":{"name":"f","arguments":"{{{c}}}"}}"""
            )
        );
        json.Append("]}");
        for (var i = 0; i < calls.Length; i++)
            json.Append(
                System.Globalization.CultureInfo.InvariantCulture,
                $$""",{"role":"tool","tool_call_id":"call_{{i}}","content":"{{result}}"}"""
            );
        return json.ToString();
    }
}
