using System.Text;
using System.Text.Unicode;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>
/// An answer while it comes: the one place where a reader of the provider's wire puts what it reads, and from where a writer of the caller's wire is
/// told. Keeps the order that every wire relies on: one beginning, one part after the other, one end.
/// </summary>
/// <param name="identity">What the answer calls itself.</param>
/// <param name="model">The model's name as long as the provider has not told it.</param>
/// <param name="writer">Writes events while they come, or null where only the whole answer is wanted.</param>
internal sealed class Answer(AnswerIdentity identity, string model, AnswerWriter? writer) : IDisposable
{
    private readonly List<AnswerPart> _parts = [];
    private readonly int[] _ordinals = new int[Enum.GetValues<PartKind>().Length];
    private AnswerPart? _open;
    private bool _isStarted;

    public AnswerIdentity Identity { get; } = identity;

    /// <summary>The model's name, escaped.</summary>
    public byte[] Model { get; private set; } = JsonText.Escape(model).ToArray();

    public IReadOnlyList<AnswerPart> Parts => _parts;

    /// <summary>What the provider counted so far.</summary>
    public TokenUsage? Usage { get; set; }

    public FinishReason Reason { get; private set; }

    /// <summary>The caller's stop sequence that came, escaped.</summary>
    public byte[]? StopSequence { get; private set; }

    public WireError? Error { get; private set; }

    /// <summary>Everything has come.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>No part may come any more.</summary>
    public bool IsOver => IsComplete || Error is not null || Reason != FinishReason.None;

    /// <summary>The answer begins. Said again, it changes nothing.</summary>
    /// <param name="modelName">As the provider calls it, escaped; empty where it does not say.</param>
    public void Start(ReadOnlySpan<byte> modelName)
    {
        if (_isStarted || IsOver)
            return;
        _isStarted = true;
        if (!modelName.IsEmpty)
            Model = Sound(modelName).ToArray();
        writer?.Start(this);
    }

    /// <summary>A new part begins, and the one before it is whole.</summary>
    public void Begin(PartKind kind, ReadOnlySpan<byte> id = default, ReadOnlySpan<byte> name = default)
    {
        if (IsOver)
            return;
        Start(default);
        End();
        var part = new AnswerPart(kind, _parts.Count, _ordinals[(int)kind]++)
        {
            Id = Sound(id).ToArray(),
            Name = Sound(name).ToArray(),
        };
        if (kind == PartKind.ToolCall && part.Id.Length == 0)
            part.Id = Encoding.ASCII.GetBytes($"call_{Identity.Id:N}{part.Ordinal}");
        _parts.Add(part);
        _open = part;
        writer?.Begin(this, part);
    }

    /// <summary>More of the open part; where that is of another kind, a new one begins.</summary>
    public void Append(PartKind kind, ReadOnlySpan<byte> escaped, ReadOnlySpan<byte> logprobs = default)
    {
        if (IsOver || (escaped.IsEmpty && logprobs.IsEmpty))
            return;
        if (_open?.Kind != kind)
            Begin(kind);
        var part = _open!;
        escaped = Sound(escaped);
        part.Append(escaped);
        if (!logprobs.IsEmpty)
        {
            logprobs = Sound(logprobs);
            part.AppendLogprobs(logprobs);
        }
        writer?.Delta(this, part, escaped, logprobs);
    }

    /// <summary>What lets the provider know the open reasoning again.</summary>
    public void SealReasoning(ReasoningSeal seal)
    {
        if (_open is { Kind: PartKind.Reasoning or PartKind.SealedReasoning } part)
            part.Seal = new ReasoningSeal(seal.Origin, Sound(seal.Id.Span).ToArray(), Sound(seal.Data.Span).ToArray());
    }

    /// <summary>A citation of the open text.</summary>
    public void Cite(Citation citation)
    {
        if (IsOver)
            return;
        if (_open?.Kind != PartKind.Text)
            Begin(PartKind.Text);
        var sound = citation with { Url = Sound(citation.Url).ToArray(), Title = Sound(citation.Title).ToArray() };
        _open!.Citations.Add(sound);
        writer?.Cite(this, _open, sound);
    }

    /// <summary>The open part is whole.</summary>
    public void End()
    {
        if (_open is not { } part)
            return;
        _open = null;
        part.IsClosed = true;
        writer?.End(this, part);
    }

    /// <summary>Why the answer ends.</summary>
    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        if (IsOver)
            return;
        Start(default);
        End();
        Reason = reason;
        if (reason == FinishReason.StopSequence && !stopSequence.IsEmpty)
            StopSequence = Sound(stopSequence).ToArray();
        writer?.Finish(this);
    }

    /// <summary>Everything has come that will come. Without a reason before, the answer was broken off and is not completed by it.</summary>
    public void Complete()
    {
        if (IsComplete || Error is not null || Reason == FinishReason.None)
            return;
        IsComplete = true;
        writer?.Complete(this);
    }

    /// <summary>The provider said that it failed.</summary>
    public void Fail(WireError error)
    {
        if (Error is not null || IsComplete)
            return;
        Error = error;
        writer?.Fail(this, error);
    }

    /// <summary>Counts what the provider said anew; what it does not say again stays.</summary>
    public void Count(TokenUsage more)
    {
        var before = Usage.GetValueOrDefault();
        Usage = new TokenUsage(
            more.Prompt ?? before.Prompt,
            more.Completion ?? before.Completion,
            more.Total ?? before.Total,
            more.Cached ?? before.Cached,
            more.Reasoning ?? before.Reasoning,
            more.CacheWritten ?? before.CacheWritten
        );
    }

    /// <summary>A tool is called somewhere in it.</summary>
    public bool HasToolCalls => _ordinals[(int)PartKind.ToolCall] > 0;

    /// <summary>The open part is a thought.</summary>
    public bool IsInThought => _open is { Kind: PartKind.Reasoning or PartKind.SealedReasoning };

    /// <summary>The model says that it will not.</summary>
    public bool HasRefusal => _ordinals[(int)PartKind.Refusal] > 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var part in _parts)
            part.Dispose();
        _parts.Clear();
        _open = null;
    }

    // Strings are not looked into while JSON is read, and what is not UTF-8 must not reach the caller.
    private static ReadOnlySpan<byte> Sound(ReadOnlySpan<byte> bytes) =>
        Utf8.IsValid(bytes) ? bytes : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes));
}
