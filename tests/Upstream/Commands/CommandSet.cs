using System.Text.Json;

namespace Verbatim.Tests.Upstream.Commands;

/// <summary>Everything that a request can ask of the provider. README.md has the meaning of each, by the same name.</summary>
internal sealed record CommandSet
{
    public static readonly CommandSet None = new();

    /// <summary>The names of the commands that were given.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    // The answer as a whole.
    public int? Status { get; init; }
    public string? ErrorMessage { get; init; }
    public string? ErrorType { get; init; }
    public string? ErrorCode { get; init; }
    public string? RetryAfter { get; init; }
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];
    public bool ProviderHeaders { get; init; }
    public bool HopHeaders { get; init; }
    public byte[]? Body { get; init; }
    public string? ContentType { get; init; }
    public bool Chunked { get; init; }

    // What the model says.
    public string? Id { get; init; }
    public string? Model { get; init; }
    public string? Text { get; init; }
    public string? ChunkText { get; init; }
    public int? Bytes { get; init; }
    public bool Echo { get; init; }
    public int? Chunks { get; init; }
    public int? ToolCallCount { get; init; }
    public IReadOnlyList<ToolCall>? ToolCalls { get; init; }
    public int ArgumentsChunk { get; init; } = 5;
    public bool Interleave { get; init; }
    public string? Reasoning { get; init; }
    public ReasoningField ReasoningAs { get; init; }
    public string? Signature { get; init; }
    public bool Redacted { get; init; }
    public bool Citations { get; init; }
    public string? Refusal { get; init; }
    public bool Logprobs { get; init; }
    public bool Audio { get; init; }
    public string? StopSequence { get; init; }
    public string? ServiceTier { get; init; }
    public bool UnknownBlock { get; init; }
    public bool WholeCalls { get; init; }
    public bool NoIds { get; init; }
    public bool Filtered { get; init; }
    public Provider As { get; init; }
    public string? FinishReason { get; init; }
    public UsageKind Usage { get; init; }
    public string? UsageJson { get; init; }
    public UsagePlace UsageIn { get; init; }
    public ChoicesKind Choices { get; init; }

    // The shape of a stream.
    public bool? Done { get; init; }
    public int? ErrorAfter { get; init; }
    public int? GarbageAfter { get; init; }
    public int Polls { get; init; } = 1;
    public int? PingEvery { get; init; }
    public int? UnknownAfter { get; init; }
    public string? Comment { get; init; }
    public LineEnding LineEnding { get; init; }
    public bool Bom { get; init; }
    public bool Space { get; init; } = true;
    public bool Multiline { get; init; }

    // How it is sent.
    public int DelayMs { get; init; }
    public int ChunkDelayMs { get; init; }
    public int HeaderDelayMs { get; init; }
    public bool Burst { get; init; }
    public int? SplitEvery { get; init; }
    public IReadOnlyList<int> SplitAt { get; init; } = [];
    public int SplitDelayMs { get; init; }
    public Position? CutAfter { get; init; }
    public Position? CloseAfter { get; init; }
    public Position? StallAfter { get; init; }
    public Position? EndAfter { get; init; }
    public IReadOnlyList<Position> HoldAfter { get; init; } = [];

    // Which requests obey.
    public bool Strict { get; init; }
    public string? Marker { get; init; }
    public int? Times { get; init; }
    public JsonElement Attempts { get; init; }

    /// <summary>True when the next answer to the same request would be another one.</summary>
    public bool DependsOnTheRequest =>
        Echo || Strict || Times is not null || ToolCallCount is not null || ToolCalls is not null;

    /// <summary>True when the answer is sent as any server would send it, so that the fast path may.</summary>
    public bool SendsPlainly =>
        RetryAfter is null
        && Headers.Count is 0
        && !ProviderHeaders
        && !HopHeaders
        && !Chunked
        && !Burst
        && DelayMs is 0
        && ChunkDelayMs is 0
        && HeaderDelayMs is 0
        && SplitEvery is null
        && SplitAt.Count is 0
        && CutAfter is null
        && CloseAfter is null
        && StallAfter is null
        && EndAfter is null
        && HoldAfter.Count is 0;
}

/// <summary>What the usage figures are like.</summary>
internal enum UsageKind
{
    Honest,
    None,
    Null,
    Zero,
    Wrong,
    Details,
    Minimal,
    Given,
}

/// <summary>Which events of a stream carry the usage.</summary>
internal enum UsagePlace
{
    Final,
    Start,
    Finish,
    Every,
}

/// <summary>What stands in the place of the choices.</summary>
internal enum ChoicesKind
{
    Normal,
    Null,
    Missing,
    Empty,
}

/// <summary>How the lines of a stream end (WHATWG HTML, 9.2.6, allows all three).</summary>
internal enum LineEnding
{
    Lf,
    CrLf,
    Cr,
}

/// <summary>Which fields of a chat completion carry the reasoning.</summary>
internal enum ReasoningField
{
    /// <summary>As the provider does that is spoken like.</summary>
    Usual,
    ReasoningContent,
    Reasoning,
    Details,
}

/// <summary>Whose peculiarities the answers of OpenAI's wire have.</summary>
internal enum Provider
{
    OpenAi,
    Azure,
    OpenRouter,
    VLlm,
    Ollama,
}
