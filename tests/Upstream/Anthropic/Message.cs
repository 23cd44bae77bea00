using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.Anthropic;

/// <summary>What is to be answered, before it is written as one JSON or as a stream.</summary>
internal sealed record Message(string Model, IReadOnlyList<Block> Blocks, CommandSet Commands)
{
    /// <summary>Characters of an id after <c>msg_</c>, as at Anthropic.</summary>
    public const int IdLength = 24;

    private const string Signature =
        "EqQBCkYIChgCKkDs0mFrZXNpZ25hdHVyZW9mdGhlZmFrZXByb3ZpZGVydGhhdG11c3Rjb21lYmFja3VudG91Y2hlZBIM"
        + "Zm9ydmVyYmF0aW0=";

    private const string Redacted =
        "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpPkNRj2YfWXGmKDxH4mPnZ5sQ7vB9URj2pLmN3kF8";

    private static readonly string[] Cities = ["Paris", "Tokyo", "Lima", "Oslo"];
    private static long _toolCalls;

    public string StopReason =>
        Commands.FinishReason
        ?? (
            Commands.Refusal is not null ? "refusal"
            : Commands.StopSequence is not null ? "stop_sequence"
            : Blocks.Any(static block => block is ToolUseBlock) ? "tool_use"
            : "end_turn"
        );

    public int OutputTokens => Blocks.Sum(static block => block.Tokens);

    public int ThinkingTokens => Blocks.OfType<ThinkingBlock>().Sum(static block => block.Tokens);

    public static Message Of(MessageRequest request, string model, CommandSet commands, ReadOnlySpan<byte> body)
    {
        var calls =
            commands.ToolCalls ?? [.. Enumerable.Repeat(new ToolCall(null, null, null), commands.ToolCallCount ?? 0)];
        var names = calls.Count > 0 ? request.ToolNames() : [];
        var speaks =
            (calls.Count is 0 && commands.Refusal is null)
            || commands is { Text: not null } or { ChunkText: not null } or { Bytes: not null } or { Echo: true };

        var blocks = new List<Block>();
        if (commands.Redacted)
            blocks.Add(new RedactedBlock(Redacted));
        if (commands.Reasoning is not null)
            blocks.Add(Thinking(commands));
        if (speaks)
            blocks.Add(new TextBlock(ModelText.Pieces(commands, body), commands.Citations));
        for (var index = 0; index < calls.Count; index++)
        {
            if (index > 0 && commands.Interleave && commands.Reasoning is not null)
                blocks.Add(Thinking(commands));
            var call = calls[index];
            blocks.Add(
                new ToolUseBlock(
                    call.Id ?? $"toolu_{Interlocked.Increment(ref _toolCalls):D24}",
                    call.Name ?? (names.Count > 0 ? names[index % names.Count] : "get_weather"),
                    call.Arguments ?? $$"""{"location":"{{Cities[index % Cities.Length]}}"}""",
                    commands.ArgumentsChunk
                )
            );
        }

        if (commands.UnknownBlock)
            blocks.Add(new UnknownBlock());
        return new Message(commands.Model ?? model, blocks, commands);
    }

    private static ThinkingBlock Thinking(CommandSet commands) =>
        new(ModelText.Words(commands.Reasoning!), commands.Signature ?? Signature);
}

/// <summary>A block of content. A stream carries its pieces, one delta each.</summary>
internal abstract record Block(string[] Pieces)
{
    public virtual int Tokens => Pieces.Length;
}

internal sealed record TextBlock(string[] Pieces, bool IsCited) : Block(Pieces);

internal sealed record ThinkingBlock(string[] Pieces, string Signature) : Block(Pieces);

internal sealed record RedactedBlock(string Data) : Block([]);

internal sealed record ToolUseBlock(string Id, string Name, string Input, int PieceLength)
    : Block([.. Input.Chunk(PieceLength).Select(static piece => new string(piece))])
{
    public override int Tokens => Pieces.Length + 1;
}

/// <summary>A block of a kind that no client knows yet.</summary>
internal sealed record UnknownBlock() : Block(["?"]);
