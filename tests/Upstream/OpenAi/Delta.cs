using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>What one event of a stream adds to one choice.</summary>
internal sealed record Delta
{
    public bool HasRole { get; init; }
    public bool HasContent { get; init; }
    public string? Content { get; init; }

    /// <summary>The index of the tool call that this belongs to; the call itself only where it begins.</summary>
    public int? ToolIndex { get; init; }
    public CompletionToolCall? BeginningToolCall { get; init; }
    public string Arguments { get; init; } = "";

    public string? Reasoning { get; init; }
    public string? Refusal { get; init; }

    /// <summary>Parts of what is spoken; a delta has some of them.</summary>
    public string? AudioId { get; init; }
    public string? Transcript { get; init; }
    public byte[]? Sound { get; init; }

    public string? FinishReason { get; init; }

    /// <summary>Characters that a model produced for it, which the obfuscation hides.</summary>
    public int Length => (Content?.Length ?? 0) + (Reasoning?.Length ?? 0) + (Refusal?.Length ?? 0) + Arguments.Length;

    /// <summary>
    /// The deltas of one choice without its end. The role comes first, with the tool call when there is a single one
    /// and no text; several calls begin in events of their own (both as recorded from OpenAI). Those that show what the
    /// model thinks show it before any call.
    /// </summary>
    public static List<Delta> Of(Completion completion)
    {
        var calls = completion.ToolCalls;
        var joined = completion.Content is null && completion.Reasoning.Length is 0 && calls.Count is 1;
        var deltas = new List<Delta>
        {
            new()
            {
                HasRole = true,
                HasContent = true,
                Content = completion.Content is null ? null : "",
                ToolIndex = joined ? 0 : null,
                BeginningToolCall = joined ? calls[0] : null,
                Arguments = joined && completion.WholeCalls ? calls[0].Arguments : "",
            },
        };
        deltas.AddRange(completion.Reasoning.Select(static piece => new Delta { Reasoning = piece }));
        if (completion.Reasoning.Length > 0 && completion.ReasoningAs is ReasoningField.Details)
            deltas.Add(new Delta { Reasoning = "" });
        deltas.AddRange(completion.Refusal.Select(static piece => new Delta { Refusal = piece }));
        deltas.AddRange(
            completion.Commands.Audio
                ? Spoken(completion.Text)
                : completion.Text.Select(static piece => new Delta { HasContent = true, Content = piece })
        );
        if (completion.Commands.Interleave)
            AddInterleaved(deltas, completion, joined);
        else
            AddInTurn(deltas, completion, joined);
        return deltas;
    }

    private static IEnumerable<Delta> Spoken(string[] text)
    {
        yield return new Delta { AudioId = CompletionJson.AudioId };
        foreach (var piece in text)
        {
            yield return new Delta { Transcript = piece };
            yield return new Delta { Sound = CompletionJson.Sound(piece) };
        }
    }

    public void WriteTo(Utf8JsonWriter writer, ReasoningField reasoningAs)
    {
        writer.WriteStartObject("delta"u8);
        if (HasRole)
            writer.WriteString("role"u8, "assistant"u8);
        if (HasContent)
            writer.WriteString("content"u8, Content);
        CompletionJson.WriteReasoning(writer, Reasoning, reasoningAs, isSigned: Reasoning is { Length: 0 });
        WriteToolCall(writer);
        if (HasRole || Refusal is not null)
            writer.WriteString("refusal"u8, Refusal);
        WriteAudio(writer);
        writer.WriteEndObject();
    }

    private static void AddInTurn(List<Delta> deltas, Completion completion, bool joined)
    {
        for (var index = 0; index < completion.ToolCalls.Count; index++)
        {
            if (!joined)
                deltas.Add(Begin(completion, index));
            deltas.AddRange(ArgumentsOf(completion, index));
        }
    }

    private static void AddInterleaved(List<Delta> deltas, Completion completion, bool joined)
    {
        var queues = completion
            .ToolCalls.Select((_, index) => new Queue<Delta>(ArgumentsOf(completion, index)))
            .ToList();
        if (!joined)
            deltas.AddRange(completion.ToolCalls.Select((_, index) => Begin(completion, index)));
        while (queues.Exists(static queue => queue.Count > 0))
            deltas.AddRange(queues.Where(static queue => queue.Count > 0).Select(static queue => queue.Dequeue()));
    }

    private static Delta Begin(Completion completion, int index) =>
        new()
        {
            ToolIndex = index,
            BeginningToolCall = completion.ToolCalls[index],
            Arguments = completion.WholeCalls ? completion.ToolCalls[index].Arguments : "",
        };

    private static IEnumerable<Delta> ArgumentsOf(Completion completion, int index) =>
        completion.WholeCalls
            ? []
            : completion
                .ToolCalls[index]
                .Pieces(completion.Commands.ArgumentsChunk)
                .Select(piece => new Delta { ToolIndex = index, Arguments = piece });

    private void WriteAudio(Utf8JsonWriter writer)
    {
        if (AudioId is null && Transcript is null && Sound is null)
            return;
        writer.WriteStartObject("audio"u8);
        if (AudioId is not null)
            writer.WriteString("id"u8, AudioId);
        if (Transcript is not null)
            writer.WriteString("transcript"u8, Transcript);
        if (Sound is not null)
            writer.WriteBase64String("data"u8, Sound);
        writer.WriteEndObject();
    }

    private void WriteToolCall(Utf8JsonWriter writer)
    {
        if (ToolIndex is not { } index)
            return;
        writer.WriteStartArray("tool_calls"u8);
        writer.WriteStartObject();
        writer.WriteNumber("index"u8, index);
        if (BeginningToolCall is { } call)
        {
            writer.WriteString("id"u8, call.Id);
            writer.WriteString("type"u8, "function"u8);
        }

        writer.WriteStartObject("function"u8);
        if (BeginningToolCall is not null)
            writer.WriteString("name"u8, BeginningToolCall.Name);
        writer.WriteString("arguments"u8, Arguments);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndArray();
    }
}
