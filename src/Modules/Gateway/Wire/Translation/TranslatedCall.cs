using System.Diagnostics.CodeAnalysis;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>Where a translated call goes.</summary>
/// <param name="Operation">The operation that the provider is asked for.</param>
/// <param name="Model">The provider's name of the model.</param>
/// <param name="DefaultMaxTokens">What to ask for where the wire demands a limit and the caller set none.</param>
internal sealed record TranslationTarget(Operation Operation, string Model, int DefaultMaxTokens)
{
    /// <summary>It gives <c>reasoning_details</c>, and wants them back.</summary>
    public bool HasReasoningDetails { get; init; }
}

/// <summary>Something that the caller asked for and the target cannot do.</summary>
/// <param name="Parameter">The caller's own name of it: <c>logprobs</c>, <c>messages[2].content[1]</c>.</param>
/// <param name="Reason">A clause for a person that follows the name: <c>is not known to Anthropic's messages</c>.</param>
internal sealed record UnsupportedParameter(string Parameter, string Reason);

/// <summary>
/// One call whose caller and provider speak different wires: what to send, and how to turn what comes back into the caller's wire.
/// </summary>
internal abstract class TranslatedCall
{
    /// <summary>Whether a caller of one operation can be answered by another.</summary>
    public static bool IsPossible(Operation caller, Operation target) =>
        caller != target && Wires.Knows(caller) && Wires.Knows(target);

    /// <summary>Translates a caller's request. Never throws on what is in the body.</summary>
    /// <param name="caller">The operation that the caller asked for.</param>
    /// <param name="body">The body as it came; it must stay as it is as long as the call is used.</param>
    /// <param name="target">Where the call goes; <see cref="IsPossible"/> is true of both operations.</param>
    /// <param name="identity">What the answer calls itself.</param>
    /// <param name="call">The call.</param>
    /// <param name="error">What is wrong with the request, whichever provider it goes to.</param>
    public static bool TryOpen(
        Operation caller,
        ReadOnlyMemory<byte> body,
        TranslationTarget target,
        AnswerIdentity identity,
        [NotNullWhen(true)] out TranslatedCall? call,
        [NotNullWhen(false)] out WireError? error
    )
    {
        ArgumentNullException.ThrowIfNull(target);
        call = null;
        using var reading = new RequestReading(body);
        if (!reading.TryParse(out var root))
        {
            error = reading.Error!;
            return false;
        }
        var request = Wires.ReadRequest(caller, reading, root);
        error = reading.Error;
        if (error is not null)
            return false;
        using var writing = new RequestWriting(target, reading.Unsupported);
        Wires.WriteRequest(request, writing);
        call = new WireTranslation(caller, target, identity, request, writing.ToBody(), reading.Unsupported)
        {
            HasNothingElse = writing.HasNothingElse,
        };
        return true;
    }

    /// <summary>The request's body for the provider. What it cannot do is left out of it.</summary>
    public abstract ReadOnlyMemory<byte> Body { get; }

    /// <summary>What the target cannot do. Unless the caller has agreed to that, the call must not be made.</summary>
    public abstract IReadOnlyList<UnsupportedParameter> Unsupported { get; }

    /// <summary>Without what the target cannot do nothing is left to ask, so it cannot be left out either.</summary>
    public bool HasNothingElse { get; internal init; }

    /// <summary>Turns a whole answer into the caller's. Never throws.</summary>
    /// <param name="body">What the provider answered with a status of success.</param>
    /// <param name="answer">The caller's answer.</param>
    /// <param name="usage">What the provider counted.</param>
    /// <returns>False when it is not an answer of the provider's wire.</returns>
    public abstract bool TryTranslateAnswer(ReadOnlySpan<byte> body, out byte[] answer, out TokenUsage? usage);

    /// <summary>Turns an error into the parts that every dialect of errors is written from. Never throws.</summary>
    /// <param name="status">The provider's status: 400 or more.</param>
    /// <param name="body">What came with it, JSON or not.</param>
    public abstract WireError TranslateError(int status, ReadOnlySpan<byte> body);

    /// <summary>Turns a stream of the provider's wire into one of the caller's. Called once a call at the most.</summary>
    public abstract AnswerStream OpenStream();
}
