using System.Text;

namespace Verbatim.Modules.Gateway.Wire.Translation.Responses;

/// <summary>What a response repeats of its request (OpenAI's API reference, "The response object").</summary>
internal static class ResponsesEcho
{
    private static readonly (string Name, string Default)[] Members =
    [
        ("instructions", "null"),
        ("max_output_tokens", "null"),
        ("metadata", "{}"),
        ("parallel_tool_calls", "true"),
        ("previous_response_id", "null"),
        ("reasoning", """{"effort":null,"summary":null}"""),
        ("service_tier", "\"default\""),
        ("store", "true"),
        ("temperature", "1.0"),
        ("text", """{"format":{"type":"text"}}"""),
        ("tool_choice", "\"auto\""),
        ("tools", "[]"),
        ("top_logprobs", "0"),
        ("top_p", "1.0"),
        ("truncation", "\"disabled\""),
        ("user", "null"),
        ("background", "false"),
    ];

    /// <summary>Notes them, each as a member of JSON.</summary>
    public static void Read(RequestObject body, List<ReadOnlyMemory<byte>> echo)
    {
        foreach (var (name, fallback) in Members)
        {
            var raw = body.PeekRaw(name);
            echo.Add(
                (byte[])
                    [
                        (byte)'"',
                        .. Encoding.ASCII.GetBytes(name),
                        .. "\":"u8,
                        .. raw.IsEmpty ? Encoding.UTF8.GetBytes(fallback) : raw.Span,
                    ]
            );
        }
    }
}
