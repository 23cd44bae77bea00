using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.Anthropic;

/// <summary>The whole answer as one JSON, in one line and in the order of recorded answers.</summary>
internal static class MessageJson
{
    private const string ContentType = "application/json";

    /// <summary>What a broken answer looks like: it stops in the middle.</summary>
    private static readonly byte[] Garbage =
        """{"model":"claude-fake","id":"msg_broken","type":"message","content":[{"ty"""u8.ToArray();

    public static Answer Of(Message message)
    {
        var commands = message.Commands;
        var contentType = commands.ContentType ?? ContentType;
        if (commands.GarbageAfter is not null)
            return Answer.Of(200, contentType, Garbage);
        if (commands.ErrorAfter is not null)
            return Answer.Json(200, contentType, AnthropicErrors.InStream(commands));
        return Answer.Json(
            commands.Status ?? 200,
            contentType,
            JsonBody.Compact(writer => Write(writer, message, isStart: false))
        );
    }

    /// <summary>Writes the fields of a message; at the start of a stream without its content and its end.</summary>
    public static void Write(Utf8JsonWriter writer, Message message, bool isStart)
    {
        var commands = message.Commands;
        writer.WriteString("model"u8, message.Model);
        writer.WriteString("id"u8, commands.Id ?? "msg_" + Placeholder.Id(Message.IdLength));
        writer.WriteString("type"u8, "message"u8);
        writer.WriteString("role"u8, "assistant"u8);
        writer.WriteStartArray("content"u8);
        if (!isStart)
        {
            foreach (var block in message.Blocks)
                WriteBlock(writer, block);
        }

        writer.WriteEndArray();
        WriteEnd(writer, isStart ? null : message);
        WriteUsage(writer, message, isStart);
    }

    /// <summary>Why the model stopped, and by what.</summary>
    public static void WriteEnd(Utf8JsonWriter writer, Message? message)
    {
        writer.WriteString("stop_reason"u8, message?.StopReason);
        writer.WriteString("stop_sequence"u8, message?.Commands.StopSequence);
        if (message?.Commands.Refusal is { } refusal)
        {
            writer.WriteStartObject("stop_details"u8);
            writer.WriteString("type"u8, "refusal"u8);
            writer.WriteNull("category"u8);
            writer.WriteString("explanation"u8, refusal);
            writer.WriteEndObject();
        }
        else
        {
            writer.WriteNull("stop_details"u8);
        }
    }

    /// <summary>Where a claim was taken from: a place in the first document of the request.</summary>
    public static void WriteCitation(Utf8JsonWriter writer)
    {
        writer.WriteString("type"u8, "char_location"u8);
        writer.WriteString("cited_text"u8, "The grass is green."u8);
        writer.WriteNumber("document_index"u8, 0);
        writer.WriteString("document_title"u8, "Example Document"u8);
        writer.WriteNumber("start_char_index"u8, 0);
        writer.WriteNumber("end_char_index"u8, 19);
        writer.WriteNull("file_id"u8);
    }

    private static void WriteUsage(Utf8JsonWriter writer, Message message, bool isStart)
    {
        var commands = message.Commands;
        if (commands.Usage is UsageKind.Null)
            writer.WriteNull("usage"u8);
        if (commands.Usage is UsageKind.None or UsageKind.Null)
            return;
        var usage = MessageUsage.Of(commands, message.OutputTokens, message.ThinkingTokens);
        if (isStart)
            usage = AtStart(usage, commands);
        usage.WriteTo(writer);
    }

    private static MessageUsage AtStart(MessageUsage usage, CommandSet commands) =>
        commands.UsageIn switch
        {
            UsagePlace.Start => usage,
            UsagePlace.Finish => usage with { Input = 0, Output = 0, Write5Minutes = 0, Write1Hour = 0, Read = 0 },
            // One token is counted before the first is sent.
            _ => usage with { Output = Math.Min(1, usage.Output), Thinking = 0 },
        };

    private static void WriteBlock(Utf8JsonWriter writer, Block block)
    {
        writer.WriteStartObject();
        switch (block)
        {
            case TextBlock text:
                writer.WriteString("type"u8, "text"u8);
                writer.WriteString("text"u8, string.Concat(text.Pieces));
                if (text.IsCited)
                {
                    writer.WriteStartArray("citations"u8);
                    writer.WriteStartObject();
                    WriteCitation(writer);
                    writer.WriteEndObject();
                    writer.WriteEndArray();
                }

                break;
            case ThinkingBlock thinking:
                writer.WriteString("type"u8, "thinking"u8);
                writer.WriteString("thinking"u8, string.Concat(thinking.Pieces));
                writer.WriteString("signature"u8, thinking.Signature);
                break;
            case RedactedBlock redacted:
                writer.WriteString("type"u8, "redacted_thinking"u8);
                writer.WriteString("data"u8, redacted.Data);
                break;
            case ToolUseBlock call:
                WriteToolUse(writer, call, call.Input);
                break;
            default:
                writer.WriteString("type"u8, "future_block"u8);
                writer.WriteString("future"u8, string.Concat(block.Pieces));
                break;
        }

        writer.WriteEndObject();
    }

    /// <summary>Writes a call with its input, which at the start of a stream is an empty object.</summary>
    public static void WriteToolUse(Utf8JsonWriter writer, ToolUseBlock call, string input)
    {
        writer.WriteString("type"u8, "tool_use"u8);
        writer.WriteString("id"u8, call.Id);
        writer.WriteString("name"u8, call.Name);
        writer.WritePropertyName("input"u8);
        writer.WriteRawValue(input, skipInputValidation: true);
        writer.WriteStartObject("caller"u8);
        writer.WriteString("type"u8, "direct"u8);
        writer.WriteEndObject();
    }
}
