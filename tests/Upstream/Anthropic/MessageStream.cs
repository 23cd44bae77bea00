using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.Anthropic;

/// <summary>
/// The answer as a stream of named events, in the order of "Streaming messages" of Anthropic's reference: message_start,
/// then each block with its start, deltas and stop, a ping after the first block's start, message_delta, message_stop.
/// </summary>
internal sealed class MessageStream
{
    /// <summary>Spaces before the last brace, with which Anthropic hides the length of tokens; random there.</summary>
    private const int Padding = 13;

    private static readonly byte[] Garbage =
        """{"type":"content_block_delta","index":0,"delta":{"type":"text_de"""u8.ToArray();

    private readonly Message _message;
    private readonly CommandSet _commands;
    private readonly EventStream _events;
    private int _sincePing;

    private MessageStream(Message message)
    {
        _message = message;
        _commands = message.Commands;
        _events = new EventStream(_commands);
    }

    public static Answer Of(Message message)
    {
        var parts = new MessageStream(message).Write();
        var contentType = message.Commands.ContentType ?? EventStream.ContentType;
        return new Answer(message.Commands.Status ?? 200, contentType, parts, IsStream: true);
    }

    private Part[] Write()
    {
        Add(
            "message_start",
            writer =>
            {
                writer.WriteStartObject("message"u8);
                MessageJson.Write(writer, _message, isStart: true);
                writer.WriteEndObject();
            }
        );
        for (var index = 0; index < _message.Blocks.Count; index++)
            AddBlock(index, _message.Blocks[index]);
        Add("message_delta", WriteEnd);
        AddCommanded();
        if (_commands.ErrorAfter is { } error)
        {
            _events.CheckReached("error_after", error);
            _events.Truncate(error);
            _events.Add(AnthropicErrors.InStream(_commands), "error");
        }

        if (_commands.Done ?? _commands.ErrorAfter is null)
            Add("message_stop", static _ => { });
        return _events.Parts;
    }

    private void AddCommanded()
    {
        if (_commands.UnknownAfter is { } unknown)
        {
            _events.CheckReached("unknown_after", unknown);
            Add("future_event", static writer => writer.WriteString("future"u8, "?"u8));
            _events.MoveLastTo(unknown);
        }

        if (_commands.GarbageAfter is { } garbage)
        {
            _events.CheckReached("garbage_after", garbage);
            _events.Add(Garbage, "content_block_delta");
            _events.MoveLastTo(garbage);
        }
    }

    private void AddBlock(int index, Block block)
    {
        Add(
            "content_block_start",
            writer =>
            {
                writer.WriteNumber("index"u8, index);
                writer.WriteStartObject("content_block"u8);
                WriteStart(writer, block);
                writer.WriteEndObject();
            }
        );
        if (index is 0)
            AddPing();
        // The first piece of a call's input is empty, as recorded from Anthropic.
        if (block is ToolUseBlock)
            AddDelta(index, "input_json_delta", static writer => writer.WriteString("partial_json"u8, ""u8));
        foreach (var piece in block.Pieces)
            AddPiece(index, block, piece);
        if (block is TextBlock { IsCited: true })
            AddDelta(index, "citations_delta", WriteCitation);
        if (block is ThinkingBlock { Signature: var signature })
            AddDelta(index, "signature_delta", writer => writer.WriteString("signature"u8, signature));
        Add("content_block_stop", writer => writer.WriteNumber("index"u8, index));
    }

    private void AddPiece(int index, Block block, string piece)
    {
        var (type, field) = block switch
        {
            TextBlock => ("text_delta", "text"),
            ThinkingBlock => ("thinking_delta", "thinking"),
            ToolUseBlock => ("input_json_delta", "partial_json"),
            _ => ("future_delta", "future"),
        };
        AddDelta(index, type, writer => writer.WriteString(field, piece));
    }

    private static void WriteStart(Utf8JsonWriter writer, Block block)
    {
        switch (block)
        {
            case TextBlock text:
                writer.WriteString("type"u8, "text"u8);
                writer.WriteString("text"u8, ""u8);
                if (text.IsCited)
                {
                    writer.WriteStartArray("citations"u8);
                    writer.WriteEndArray();
                }

                break;
            case ThinkingBlock:
                writer.WriteString("type"u8, "thinking"u8);
                writer.WriteString("thinking"u8, ""u8);
                writer.WriteString("signature"u8, ""u8);
                break;
            case RedactedBlock redacted:
                writer.WriteString("type"u8, "redacted_thinking"u8);
                writer.WriteString("data"u8, redacted.Data);
                break;
            case ToolUseBlock call:
                MessageJson.WriteToolUse(writer, call, "{}");
                break;
            default:
                writer.WriteString("type"u8, "future_block"u8);
                writer.WriteString("future"u8, ""u8);
                break;
        }
    }

    private static void WriteCitation(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("citation"u8);
        MessageJson.WriteCitation(writer);
        writer.WriteEndObject();
    }

    private void WriteEnd(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("delta"u8);
        MessageJson.WriteEnd(writer, _message);
        writer.WriteEndObject();
        if (_commands.Usage is UsageKind.Null)
            writer.WriteNull("usage"u8);
        if (_commands.Usage is UsageKind.None or UsageKind.Null || _commands.UsageIn is UsagePlace.Start)
            return;
        MessageUsage.Of(_commands, _message.OutputTokens, _message.ThinkingTokens).WriteCumulativeTo(writer);
    }

    private void AddDelta(int index, string type, Action<Utf8JsonWriter> write) =>
        Add(
            "content_block_delta",
            writer =>
            {
                writer.WriteNumber("index"u8, index);
                writer.WriteStartObject("delta"u8);
                writer.WriteString("type"u8, type);
                write(writer);
                writer.WriteEndObject();
            }
        );

    private void Add(string type, Action<Utf8JsonWriter> write)
    {
        if (_commands.PingEvery is { } every && _sincePing >= every)
            AddPing();
        var data = JsonBody.Compact(writer =>
        {
            writer.WriteString("type"u8, type);
            write(writer);
        });
        var padded = new byte[data.Length + (data.Length % Padding)];
        padded.AsSpan().Fill((byte)' ');
        data.AsSpan(..^1).CopyTo(padded);
        padded[^1] = (byte)'}';
        _events.Add(padded, type);
        _sincePing++;
    }

    private void AddPing()
    {
        // The space is in every recorded one.
        _events.Add("""{"type": "ping"}"""u8, "ping");
        _sincePing = 0;
    }
}
