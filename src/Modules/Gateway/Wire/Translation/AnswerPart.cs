namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>What a part of an answer is.</summary>
internal enum PartKind
{
    Text,
    Refusal,

    /// <summary>What the model thought, readable.</summary>
    Reasoning,

    /// <summary>What the model thought, sealed: no text comes.</summary>
    SealedReasoning,

    ToolCall,
}

/// <summary>A part of an answer, as far as it has come. All bytes are the insides of JSON strings, escaped.</summary>
internal sealed class AnswerPart(PartKind kind, int index, int ordinal) : IDisposable
{
    private PooledBytes _text;
    private PooledBytes _logprobs;

    public PartKind Kind { get; } = kind;

    /// <summary>Its place among all parts.</summary>
    public int Index { get; } = index;

    /// <summary>Its place among those of its kind: the index of a tool call on OpenAI's chat wire.</summary>
    public int Ordinal { get; } = ordinal;

    /// <summary>A tool call's id, or the reasoning item's.</summary>
    public byte[] Id { get; set; } = [];

    /// <summary>A tool's name.</summary>
    public byte[] Name { get; set; } = [];

    /// <summary>Nothing more comes.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Of reasoning.</summary>
    public ReasoningSeal Seal { get; set; }

    /// <summary>The text, or a tool call's arguments.</summary>
    public ReadOnlySpan<byte> Text => _text.Span;

    /// <summary>Elements of a list of log probabilities with commas between; empty without any.</summary>
    public ReadOnlySpan<byte> Logprobs => _logprobs.Span;

    public List<Citation> Citations { get; } = [];

    public void Append(ReadOnlySpan<byte> escaped) => _text.Append(escaped);

    public void AppendLogprobs(ReadOnlySpan<byte> elements)
    {
        if (_logprobs.Length > 0)
            _logprobs.Append(","u8);
        _logprobs.Append(elements);
    }

    public void Dispose()
    {
        _text.Dispose();
        _logprobs.Dispose();
    }
}

/// <summary>A place on the web that a text refers to; texts escaped.</summary>
internal sealed record Citation(byte[] Url, byte[] Title, int Start, int End);
