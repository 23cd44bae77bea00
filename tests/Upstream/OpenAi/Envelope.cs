using System.Text.Encodings.Web;
using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>
/// The fields around the choices, with places for the id and the creation time. An answer is built once with
/// placeholders and stamped whenever it is sent.
/// </summary>
internal static class Envelope
{
    /// <summary>Characters of an id after <c>chatcmpl-</c>, as at OpenAI.</summary>
    private const int IdLength = 29;

    /// <summary>OpenAI leaves everything but quotes, backslashes and control characters as it is.</summary>
    public static JavaScriptEncoder Encoder => JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static void WriteHead(Utf8JsonWriter writer, Completion completion, string kind)
    {
        writer.WriteString("id"u8, completion.Commands.Id ?? "chatcmpl-" + Placeholder.Id(IdLength));
        writer.WriteString("object"u8, kind);
        writer.WriteNumber("created"u8, Placeholder.Time);
        writer.WriteString("model"u8, completion.Model);
    }

    public static void WriteService(Utf8JsonWriter writer, string? tier)
    {
        writer.WriteString("service_tier"u8, tier ?? "default");
        writer.WriteString("system_fingerprint"u8, "fp_644f11dd4d"u8);
    }

    /// <summary>Writes the choices as commanded; true when the caller is to write the normal ones.</summary>
    public static bool WriteChoicesOtherThanNormal(Utf8JsonWriter writer, ChoicesKind kind)
    {
        switch (kind)
        {
            case ChoicesKind.Normal:
                return false;
            case ChoicesKind.Null:
                writer.WriteNull("choices"u8);
                return true;
            case ChoicesKind.Empty:
                writer.WriteStartArray("choices"u8);
                writer.WriteEndArray();
                return true;
            case ChoicesKind.Missing:
                return true;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such kind of choices");
        }
    }
}
