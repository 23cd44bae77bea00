using System.Text;
using System.Text.Json;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>How likely a piece of the answer was: an object of the token, its probability and its bytes.</summary>
internal static class Logprob
{
    public static void Write(Utf8JsonWriter writer, string token)
    {
        writer.WriteStartObject();
        writer.WriteString("token"u8, token);
        writer.WriteNumber("logprob"u8, -0.25);
        writer.WriteStartArray("bytes"u8);
        foreach (var unit in Encoding.UTF8.GetBytes(token))
            writer.WriteNumberValue(unit);
        writer.WriteEndArray();
        writer.WriteStartArray("top_logprobs"u8);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
