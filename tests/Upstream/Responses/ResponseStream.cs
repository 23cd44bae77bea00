using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;
using Verbatim.Tests.Upstream.OpenAi;

namespace Verbatim.Tests.Upstream.Responses;

/// <summary>
/// The response as a stream of named and numbered events, in the order recorded from OpenAI in January 2026. There is
/// no <c>[DONE]</c>.
/// </summary>
internal sealed class ResponseStream
{
    private const string Obfuscation = "v3JkrR4kfc2Yj6Qm";

    private static readonly byte[] Garbage =
        """{"type":"response.output_text.delta","content_index":0,"del"""u8.ToArray();

    private readonly ModelResponse _response;
    private readonly CommandSet _commands;
    private readonly List<(string Type, Action<Utf8JsonWriter, int> Write)> _events = [];

    private ResponseStream(ModelResponse response)
    {
        _response = response;
        _commands = response.Commands;
    }

    public static Answer Of(ModelResponse response)
    {
        var parts = new ResponseStream(response).Write();
        var contentType = response.Commands.ContentType ?? EventStream.ContentType;
        return new Answer(response.Commands.Status ?? 200, contentType, parts, IsStream: true);
    }

    private Part[] Write()
    {
        var isBackground = _response.Request.IsBackground;
        AddResponse("response.created", isBackground ? "queued" : "in_progress");
        if (isBackground)
            AddResponse("response.queued", "queued");
        AddResponse("response.in_progress", "in_progress");
        if (_response.EndStatus is not "failed")
        {
            for (var index = 0; index < _response.Output.Count; index++)
                AddItem(index, _response.Output[index]);
        }

        AddKeepAlives();
        if (_commands.UnknownAfter is { } unknown)
        {
            CheckReached("unknown_after", unknown);
            Insert(unknown, "response.future.delta", WriteFuture);
        }

        if (_commands.ErrorAfter is { } error)
        {
            CheckReached("error_after", error);
            _events.RemoveRange(error, _events.Count - error);
            Add("error", WriteError);
        }

        // No further event after an error, unless it was commanded.
        if (_commands.Done ?? _commands.ErrorAfter is null)
            AddResponse("response." + _response.EndStatus, _response.EndStatus);
        return Framed();
    }

    private Part[] Framed()
    {
        var events = new EventStream(_commands);
        for (var number = 0; number < _events.Count; number++)
        {
            var (type, write) = _events[number];
            var data = JsonBody.Compact(writer =>
            {
                writer.WriteString("type"u8, type);
                write(writer, number);
            });
            events.Add(data, type);
        }

        if (_commands.GarbageAfter is { } garbage)
        {
            events.CheckReached("garbage_after", garbage);
            events.Add(Garbage, "response.output_text.delta");
            events.MoveLastTo(garbage);
        }

        return events.Parts;
    }

    private void AddItem(int index, OutputItem item)
    {
        AddWithItem("response.output_item.added", index, item, isDone: false);
        switch (item)
        {
            case ReasoningItem reasoning:
                AddReasoning(index, reasoning);
                break;
            case MessageItem message:
                AddMessage(index, message);
                break;
            case CallItem call:
                foreach (var piece in call.Pieces)
                    AddDelta("response.function_call_arguments.delta", index, item, piece);
                Add(
                    "response.function_call_arguments.done",
                    (writer, number) =>
                    {
                        writer.WriteString("arguments"u8, call.Text);
                        writer.WriteString("item_id"u8, call.Id);
                        writer.WriteString("name"u8, call.Name);
                        WriteIndexAndNumber(writer, index, number);
                    }
                );
                break;
            default:
                AddDelta("response.future_call.delta", index, item, item.Text);
                break;
        }

        AddWithItem("response.output_item.done", index, item, isDone: true);
    }

    private void AddReasoning(int index, ReasoningItem item)
    {
        AddSummary("part.added", writer => WritePart(writer, ""));
        foreach (var piece in item.Pieces)
            AddDelta("response.reasoning_summary_text.delta", index, item, piece, summary: 0);
        AddSummary("text.done", writer => writer.WriteString("text"u8, item.Text));
        AddSummary("part.done", writer => WritePart(writer, item.Text));

        void AddSummary(string name, Action<Utf8JsonWriter> write) =>
            Add(
                "response.reasoning_summary_" + name,
                (writer, number) =>
                {
                    writer.WriteString("item_id"u8, item.Id);
                    writer.WriteNumber("output_index"u8, index);
                    write(writer);
                    writer.WriteNumber("sequence_number"u8, number);
                    writer.WriteNumber("summary_index"u8, 0);
                }
            );

        static void WritePart(Utf8JsonWriter writer, string text)
        {
            writer.WriteStartObject("part"u8);
            writer.WriteString("type"u8, "summary_text"u8);
            writer.WriteString("text"u8, text);
            writer.WriteEndObject();
        }
    }

    private void AddMessage(int index, MessageItem item)
    {
        AddPart("response.content_part.added", isDone: false);
        var kind = item.IsRefusal ? "refusal" : "output_text";
        foreach (var piece in item.Pieces)
            AddDelta($"response.{kind}.delta", index, item, piece, content: 0);
        if (_commands.Citations && !item.IsRefusal)
            Add("response.output_text.annotation.added", WriteCitation);
        Add(
            $"response.{kind}.done",
            (writer, number) =>
            {
                writer.WriteNumber("content_index"u8, 0);
                writer.WriteString("item_id"u8, item.Id);
                if (!item.IsRefusal)
                    WriteLogprobs(writer, item.Pieces);
                WriteIndexAndNumber(writer, index, number);
                writer.WriteString(item.IsRefusal ? "refusal" : "text", item.Text);
            }
        );
        AddPart("response.content_part.done", isDone: true);

        void AddPart(string type, bool isDone) =>
            Add(
                type,
                (writer, number) =>
                {
                    writer.WriteNumber("content_index"u8, 0);
                    writer.WriteString("item_id"u8, item.Id);
                    writer.WriteNumber("output_index"u8, index);
                    writer.WriteStartObject("part"u8);
                    item.WritePart(writer, isDone, _commands);
                    writer.WriteEndObject();
                    writer.WriteNumber("sequence_number"u8, number);
                }
            );

        void WriteCitation(Utf8JsonWriter writer, int number)
        {
            writer.WriteStartObject("annotation"u8);
            MessageItem.WriteCitation(writer);
            writer.WriteEndObject();
            writer.WriteNumber("annotation_index"u8, 0);
            writer.WriteNumber("content_index"u8, 0);
            writer.WriteString("item_id"u8, item.Id);
            WriteIndexAndNumber(writer, index, number);
        }
    }

    private void AddDelta(
        string type,
        int index,
        OutputItem item,
        string piece,
        int? content = null,
        int? summary = null
    ) =>
        Add(
            type,
            (writer, number) =>
            {
                if (content is not null)
                    writer.WriteNumber("content_index"u8, content.Value);
                writer.WriteString("delta"u8, piece);
                writer.WriteString("item_id"u8, item.Id);
                if (item is MessageItem { IsRefusal: false })
                    WriteLogprobs(writer, [piece]);
                if (_response.Request.IncludesObfuscation)
                {
                    var length = Obfuscation.Length - (piece.Length % Obfuscation.Length);
                    writer.WriteString("obfuscation"u8, Obfuscation[..length]);
                }

                WriteIndexAndNumber(writer, index, number);
                if (summary is not null)
                    writer.WriteNumber("summary_index"u8, summary.Value);
            }
        );

    private void AddWithItem(string type, int index, OutputItem item, bool isDone) =>
        Add(
            type,
            (writer, number) =>
            {
                writer.WritePropertyName("item"u8);
                item.WriteTo(writer, isDone, _commands);
                WriteIndexAndNumber(writer, index, number);
            }
        );

    private void AddResponse(string type, string status) =>
        Add(
            type,
            (writer, number) =>
            {
                writer.WriteStartObject("response"u8);
                _response.WriteTo(writer, status);
                writer.WriteEndObject();
                writer.WriteNumber("sequence_number"u8, number);
            }
        );

    /// <summary>What OpenAI sends while it is silent for long.</summary>
    private void AddKeepAlives()
    {
        if (_commands.PingEvery is not { } every)
            return;
        for (var at = every; at <= _events.Count; at += every + 1)
            Insert(at, "keepalive", static (writer, number) => writer.WriteNumber("sequence_number"u8, number));
    }

    private void WriteLogprobs(Utf8JsonWriter writer, string[] pieces)
    {
        writer.WriteStartArray("logprobs"u8);
        if (_commands.Logprobs)
        {
            foreach (var piece in pieces)
                Logprob.Write(writer, piece);
        }

        writer.WriteEndArray();
    }

    private static void WriteFuture(Utf8JsonWriter writer, int number)
    {
        writer.WriteString("future"u8, "?"u8);
        writer.WriteNumber("sequence_number"u8, number);
    }

    private void WriteError(Utf8JsonWriter writer, int number)
    {
        writer.WriteString("code"u8, _commands.ErrorCode ?? "server_error");
        writer.WriteString(
            "message"u8,
            _commands.ErrorMessage ?? "The server had an error while processing your request. Sorry about that!"
        );
        writer.WriteNull("param"u8);
        writer.WriteNumber("sequence_number"u8, number);
    }

    private static void WriteIndexAndNumber(Utf8JsonWriter writer, int index, int number)
    {
        writer.WriteNumber("output_index"u8, index);
        writer.WriteNumber("sequence_number"u8, number);
    }

    private void Add(string type, Action<Utf8JsonWriter, int> write) => _events.Add((type, write));

    private void Insert(int at, string type, Action<Utf8JsonWriter, int> write) => _events.Insert(at, (type, write));

    private void CheckReached(string command, int events)
    {
        if (events > _events.Count)
        {
            throw new WrongCommandException(
                command,
                $"The command '{command}' names the position {events}, but the answer has {_events.Count} events."
            );
        }
    }
}
