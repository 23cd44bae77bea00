using System.Globalization;
using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;
using Verbatim.Tests.Upstream.OpenAi;

namespace Verbatim.Tests.Upstream.Responses;

/// <summary>An item of output. A stream carries its pieces, one delta each.</summary>
internal abstract record OutputItem(string Id, string[] Pieces)
{
    /// <summary>Characters of an id after its prefix, as at OpenAI.</summary>
    private const int IdLength = 48;

    private const string Encrypted =
        "gAAAAABpAfakeEncryptedReasoningThatMustComeBackUntouchedVerbatim0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ==";

    private static readonly string[] Cities = ["Paris", "Tokyo", "Lima", "Oslo"];
    private static long _calls;

    public string Text => string.Concat(Pieces);

    public virtual int Tokens => Pieces.Length;

    public static List<OutputItem> Of(ResponseRequest request, CommandSet commands, ReadOnlySpan<byte> body)
    {
        var calls =
            commands.ToolCalls ?? [.. Enumerable.Repeat(new ToolCall(null, null, null), commands.ToolCallCount ?? 0)];
        var names = calls.Count > 0 ? request.ToolNames() : [];
        var items = new List<OutputItem>();
        if (commands.Reasoning is { } reasoning)
        {
            var encrypted = commands.Redacted || request.IncludesEncryptedReasoning ? Encrypted : null;
            items.Add(new ReasoningItem(NewId("rs_", items.Count), ModelText.Words(reasoning), encrypted));
        }

        if (commands.Refusal is { } refusal)
            items.Add(new MessageItem(NewId("msg_", items.Count), ModelText.Words(refusal), IsRefusal: true));
        else if (
            calls.Count is 0
            || commands is { Text: not null } or { ChunkText: not null } or { Bytes: not null } or { Echo: true }
        )
            items.Add(new MessageItem(NewId("msg_", items.Count), ModelText.Pieces(commands, body), IsRefusal: false));

        for (var index = 0; index < calls.Count; index++)
        {
            var call = calls[index];
            var arguments = call.Arguments ?? $$"""{"location":"{{Cities[index % Cities.Length]}}"}""";
            items.Add(
                new CallItem(
                    NewId("fc_", items.Count),
                    call.Id ?? $"call_{Interlocked.Increment(ref _calls):D24}",
                    call.Name ?? (names.Count > 0 ? names[index % names.Count] : "get_weather"),
                    [.. arguments.Chunk(commands.ArgumentsChunk).Select(static piece => new string(piece))]
                )
            );
        }

        if (commands.UnknownBlock)
            items.Add(new UnknownItem(NewId("fut_", items.Count)));
        return items;
    }

    /// <summary>The id of the response itself: no item.</summary>
    public static string ResponseId => "resp_" + Placeholder.Id(IdLength);

    public static string ResponseIdOf(Stamp stamp) => "resp_" + stamp.Id(IdLength);

    /// <summary>Writes the item as it is when it is done, or as it begins.</summary>
    public void WriteTo(Utf8JsonWriter writer, bool isDone, CommandSet commands)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, Id);
        WriteBody(writer, isDone, isDone ? "completed" : "in_progress", commands);
        writer.WriteEndObject();
    }

    protected abstract void WriteBody(Utf8JsonWriter writer, bool isDone, string status, CommandSet commands);

    private static string NewId(string prefix, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}{Placeholder.Id(IdLength - 2)}{index:D2}");
}

internal sealed record ReasoningItem(string Id, string[] Pieces, string? Encrypted) : OutputItem(Id, Pieces)
{
    protected override void WriteBody(Utf8JsonWriter writer, bool isDone, string status, CommandSet commands)
    {
        writer.WriteString("type"u8, "reasoning"u8);
        if (Encrypted is not null)
            writer.WriteString("encrypted_content"u8, Encrypted);
        writer.WriteStartArray("summary"u8);
        if (isDone)
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "summary_text"u8);
            writer.WriteString("text"u8, Text);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}

internal sealed record MessageItem(string Id, string[] Pieces, bool IsRefusal) : OutputItem(Id, Pieces)
{
    /// <summary>Writes the only part of the content, whole or empty.</summary>
    public void WritePart(Utf8JsonWriter writer, bool isDone, CommandSet commands)
    {
        if (IsRefusal)
        {
            writer.WriteString("type"u8, "refusal"u8);
            writer.WriteString("refusal"u8, isDone ? Text : "");
            return;
        }

        writer.WriteString("type"u8, "output_text"u8);
        writer.WriteStartArray("annotations"u8);
        if (isDone && commands.Citations)
        {
            writer.WriteStartObject();
            WriteCitation(writer);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("logprobs"u8);
        if (isDone && commands.Logprobs)
        {
            foreach (var piece in Pieces)
                Logprob.Write(writer, piece);
        }

        writer.WriteEndArray();
        writer.WriteString("text"u8, isDone ? Text : "");
    }

    public static void WriteCitation(Utf8JsonWriter writer)
    {
        writer.WriteString("type"u8, "url_citation"u8);
        writer.WriteNumber("end_index"u8, 5);
        writer.WriteNumber("start_index"u8, 0);
        writer.WriteString("title"u8, "Example Document"u8);
        writer.WriteString("url"u8, "https://example.com/document"u8);
    }

    protected override void WriteBody(Utf8JsonWriter writer, bool isDone, string status, CommandSet commands)
    {
        writer.WriteString("type"u8, "message"u8);
        writer.WriteString("status"u8, status);
        writer.WriteStartArray("content"u8);
        if (isDone)
        {
            writer.WriteStartObject();
            WritePart(writer, isDone: true, commands);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("role"u8, "assistant"u8);
    }
}

internal sealed record CallItem(string Id, string CallId, string Name, string[] Pieces) : OutputItem(Id, Pieces)
{
    public override int Tokens => Pieces.Length + 1;

    protected override void WriteBody(Utf8JsonWriter writer, bool isDone, string status, CommandSet commands)
    {
        writer.WriteString("type"u8, "function_call"u8);
        writer.WriteString("status"u8, status);
        writer.WriteString("arguments"u8, isDone ? Text : "");
        writer.WriteString("call_id"u8, CallId);
        writer.WriteString("name"u8, Name);
    }
}

/// <summary>An item of a kind that no client knows yet.</summary>
internal sealed record UnknownItem(string Id) : OutputItem(Id, ["?"])
{
    protected override void WriteBody(Utf8JsonWriter writer, bool isDone, string status, CommandSet commands)
    {
        writer.WriteString("type"u8, "future_call"u8);
        writer.WriteString("status"u8, status);
        writer.WriteString("future"u8, isDone ? Text : "");
    }
}
