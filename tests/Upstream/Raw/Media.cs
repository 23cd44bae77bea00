using System.Text;
using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;
using Verbatim.Tests.Upstream.OpenAi;

namespace Verbatim.Tests.Upstream.Raw;

/// <summary>The answers of <c>/v1/audio</c> and <c>/v1/images</c>: the smallest that the official clients read.</summary>
internal static class Media
{
    private const int UsualSpeech = 4096;

    /// <summary>A picture of one pixel.</summary>
    private static readonly byte[] Pixel = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
    );

    /// <summary>What was heard, in the form that was asked for.</summary>
    public static Answer Transcription(Form form, CommandSet commands, ReadOnlySpan<byte> body)
    {
        if (form.File is not { Field: "file" })
            throw Missing("file");
        if (form["model"] is null)
            throw Missing("model");
        var pieces = ModelText.Pieces(commands with { Echo = false }, body);
        var text = string.Concat(pieces);
        if (form["stream"] is "true")
            return Stream(pieces, commands);
        return form["response_format"] switch
        {
            "text" => Text(commands, text + "\n"),
            "srt" => Text(commands, $"1\n00:00:00,000 --> 00:00:01,000\n{text}\n\n\n"),
            "vtt" => Text(commands, $"WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n{text}\n\n"),
            "verbose_json" => Json(commands, writer => WriteVerbose(writer, text)),
            _ => Json(commands, writer => WriteTranscript(writer, text, pieces.Length)),
        };
    }

    /// <summary>Bytes in the form of a sound; as many pieces as <c>chunks</c> says.</summary>
    public static Answer Speech(JsonElement request, CommandSet commands)
    {
        var check = new OpenAiCheck("", request);
        check.Required("model").Text();
        check.Required("input").Text();
        check.Required("voice");
        var type = check.Optional("response_format")?.OneOf("mp3", "opus", "aac", "flac", "wav", "pcm") switch
        {
            "opus" => "audio/opus",
            "aac" => "audio/aac",
            "flac" => "audio/flac",
            "wav" => "audio/wav",
            "pcm" => "audio/pcm",
            _ => "audio/mpeg",
        };
        var isEvents = check.Optional("stream_format")?.OneOf("sse", "audio") is "sse";
        var sound = new byte[commands.Bytes ?? UsualSpeech];
        for (var at = 0; at < sound.Length; at++)
            sound[at] = (byte)(at * 31);
        var parts = sound.Chunk(Math.Max(1, (sound.Length + (commands.Chunks ?? 1) - 1) / (commands.Chunks ?? 1)));
        if (isEvents)
            return Events(parts, commands);
        return new Answer(
            commands.Status ?? 200,
            commands.ContentType ?? type,
            [.. parts.Select(Part.Of)],
            IsStream: true
        );
    }

    // API reference, "Audio", "speech.audio.delta" and "speech.audio.done".
    private static Answer Events(IEnumerable<byte[]> parts, CommandSet commands)
    {
        var events = new EventStream(commands);
        var count = 0;
        foreach (var part in parts)
        {
            count++;
            events.Add(
                JsonBody.Compact(writer =>
                {
                    writer.WriteString("type"u8, "speech.audio.delta"u8);
                    writer.WriteBase64String("audio"u8, part);
                })
            );
        }

        events.Add(
            JsonBody.Compact(writer =>
            {
                writer.WriteString("type"u8, "speech.audio.done"u8);
                writer.WriteStartObject("usage"u8);
                writer.WriteNumber("input_tokens"u8, Usage.PromptTokens);
                writer.WriteNumber("output_tokens"u8, count);
                writer.WriteNumber("total_tokens"u8, Usage.PromptTokens + count);
                writer.WriteEndObject();
            })
        );
        return new Answer(commands.Status ?? 200, EventStream.ContentType, events.Parts, IsStream: true);
    }

    /// <summary>As many pixels as were asked for.</summary>
    public static Answer Images(int count, bool asUrl, CommandSet commands) =>
        Json(
            commands,
            writer =>
            {
                writer.WriteNumber("created"u8, Placeholder.Time);
                writer.WriteStartArray("data"u8);
                for (var index = 0; index < count; index++)
                {
                    writer.WriteStartObject();
                    if (asUrl)
                        writer.WriteString("url"u8, "https://images.example.com/pixel.png"u8);
                    else
                        writer.WriteBase64String("b64_json"u8, Pixel);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteStartObject("usage"u8);
                writer.WriteNumber("input_tokens"u8, Usage.PromptTokens);
                writer.WriteStartObject("input_tokens_details"u8);
                writer.WriteNumber("image_tokens"u8, 0);
                writer.WriteNumber("text_tokens"u8, Usage.PromptTokens);
                writer.WriteEndObject();
                writer.WriteNumber("output_tokens"u8, count);
                writer.WriteNumber("total_tokens"u8, Usage.PromptTokens + count);
                writer.WriteEndObject();
            }
        );

    private static void WriteTranscript(Utf8JsonWriter writer, string text, int tokens)
    {
        writer.WriteString("text"u8, text);
        WriteUsage(writer, tokens);
    }

    private static void WriteUsage(Utf8JsonWriter writer, int tokens)
    {
        writer.WriteStartObject("usage"u8);
        writer.WriteString("type"u8, "tokens"u8);
        writer.WriteNumber("total_tokens"u8, Usage.PromptTokens + tokens);
        writer.WriteNumber("input_tokens"u8, Usage.PromptTokens);
        writer.WriteStartObject("input_token_details"u8);
        writer.WriteNumber("text_tokens"u8, 0);
        writer.WriteNumber("audio_tokens"u8, Usage.PromptTokens);
        writer.WriteEndObject();
        writer.WriteNumber("output_tokens"u8, tokens);
        writer.WriteEndObject();
    }

    private static void WriteVerbose(Utf8JsonWriter writer, string text)
    {
        writer.WriteString("task"u8, "transcribe"u8);
        writer.WriteString("language"u8, "english"u8);
        writer.WriteNumber("duration"u8, 1);
        writer.WriteString("text"u8, text);
        writer.WriteStartArray("segments"u8);
        writer.WriteEndArray();
        writer.WriteStartObject("usage"u8);
        writer.WriteString("type"u8, "duration"u8);
        writer.WriteNumber("seconds"u8, 1);
        writer.WriteEndObject();
    }

    private static Answer Stream(string[] pieces, CommandSet commands)
    {
        var events = new EventStream(commands);
        foreach (var piece in pieces)
        {
            events.Add(
                JsonBody.Compact(writer =>
                {
                    writer.WriteString("type"u8, "transcript.text.delta"u8);
                    writer.WriteString("delta"u8, piece);
                })
            );
        }

        events.Add(
            JsonBody.Compact(writer =>
            {
                writer.WriteString("type"u8, "transcript.text.done"u8);
                WriteTranscript(writer, string.Concat(pieces), pieces.Length);
            })
        );
        return new Answer(commands.Status ?? 200, EventStream.ContentType, events.Parts, IsStream: true);
    }

    private static Answer Text(CommandSet commands, string text) =>
        Answer.Of(
            commands.Status ?? 200,
            commands.ContentType ?? "text/plain; charset=utf-8",
            Encoding.UTF8.GetBytes(text)
        );

    private static Answer Json(CommandSet commands, Action<Utf8JsonWriter> write) =>
        Answer.Json(commands.Status ?? 200, commands.ContentType ?? "application/json", JsonBody.Indented(write));

    private static InvalidRequestException Missing(string field) =>
        new($"Missing required parameter: '{field}'.") { Field = field, Code = "missing_required_parameter" };
}
