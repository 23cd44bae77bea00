using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>What is to be answered, before it is written as one JSON or as a stream.</summary>
internal sealed record Completion(
    string Model,
    int Choices,
    bool IncludeUsage,
    bool IncludeObfuscation,
    bool IncludeLogprobs,
    string[] Text,
    IReadOnlyList<CompletionToolCall> ToolCalls,
    CommandSet Commands
)
{
    private static readonly string[] Cities = ["Paris", "Tokyo", "Lima", "Oslo"];
    private static long _toolCalls;

    /// <summary>Text is absent when only tools are called, as with most models, and when it is refused or spoken.</summary>
    public string? Content =>
        (Text.Length is 0 && ToolCalls.Count > 0) || Commands.Refusal is not null || Commands.Audio
            ? null
            : string.Concat(Text);

    /// <summary>What was thought before, in pieces; empty when nothing was.</summary>
    public string[] Reasoning { get; } = Commands.Reasoning is { } reasoning ? ModelText.Words(reasoning) : [];

    /// <summary>The refusal in pieces; empty when there is none.</summary>
    public string[] Refusal { get; } = Commands.Refusal is { } refusal ? ModelText.Words(refusal) : [];

    /// <summary>Which fields carry what was thought.</summary>
    public ReasoningField ReasoningAs =>
        Commands.ReasoningAs is not ReasoningField.Usual
            ? Commands.ReasoningAs
            : Commands.As switch
            {
                Provider.OpenRouter => ReasoningField.Details,
                Provider.Ollama => ReasoningField.Reasoning,
                _ => ReasoningField.ReasoningContent,
            };

    /// <summary>A call comes in one event, as Ollama's do.</summary>
    public bool WholeCalls => Commands.WholeCalls || Commands.As is Provider.Ollama;

    public string FinishReason => Commands.FinishReason ?? (ToolCalls.Count > 0 ? "tool_calls" : "stop");

    public static Completion Of(ChatRequest request, string model, CommandSet commands, ReadOnlySpan<byte> body)
    {
        var calls = ToolCallsOf(request, commands);
        var speaks =
            calls.Length is 0
            || commands is { Text: not null } or { ChunkText: not null } or { Bytes: not null } or { Echo: true };
        return new Completion(
            commands.Model ?? model,
            request.Choices,
            request.IncludeUsage,
            request.IncludeObfuscation,
            request.IncludeLogprobs || commands.Logprobs,
            speaks && commands.Refusal is null ? ModelText.Pieces(commands, body) : [],
            calls,
            commands
        );
    }

    /// <summary>Tokens of one choice: the pieces in which a stream carries it, and one for a call's name.</summary>
    public int Tokens =>
        Reasoning.Length
        + Refusal.Length
        + Text.Length
        + ToolCalls.Sum(call => 1 + call.Pieces(Commands.ArgumentsChunk).Count());

    /// <summary>The usage figures, when so many tokens of the answer have been written.</summary>
    public Usage UsageAfter(int tokens)
    {
        var usage = Usage.Of(Commands, tokens * Choices);
        return Commands.Usage is UsageKind.Honest ? usage with { Reasoning = Reasoning.Length * Choices } : usage;
    }

    private static CompletionToolCall[] ToolCallsOf(ChatRequest request, CommandSet commands)
    {
        var calls =
            commands.ToolCalls ?? [.. Enumerable.Repeat(new ToolCall(null, null, null), commands.ToolCallCount ?? 0)];
        if (calls.Count is 0)
            return [];
        var names = request.ToolNames();
        return
        [
            .. calls.Select(
                (call, index) =>
                    new CompletionToolCall(
                        call.Id ?? $"call_{Interlocked.Increment(ref _toolCalls):D24}",
                        call.Name ?? (names.Count > 0 ? names[index % names.Count] : "get_weather"),
                        call.Arguments ?? $$"""{"location":"{{Cities[index % Cities.Length]}}"}"""
                    )
            ),
        ];
    }
}

/// <summary>A tool call with nothing left open.</summary>
internal sealed record CompletionToolCall(string Id, string Name, string Arguments)
{
    /// <summary>The arguments in pieces of so many characters; none for an empty text.</summary>
    public IEnumerable<string> Pieces(int size) => Arguments.Chunk(size).Select(static piece => new string(piece));
}
