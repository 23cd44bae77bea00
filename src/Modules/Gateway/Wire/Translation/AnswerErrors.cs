namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>An error of one provider's as the callers of the other know it.</summary>
internal static class AnswerErrors
{
    // Claude API reference, "Errors": 529 is "overloaded". OpenAI's clients know 503 for it.
    private const int Overloaded = 529;

    /// <summary>The error with a status that the caller's wire has.</summary>
    public static WireError For(Operation caller, WireError error) =>
        (caller, error.Status) switch
        {
            (Operation.Messages or Operation.CountTokens, 503) => error with { Status = Overloaded },
            (Operation.Messages or Operation.CountTokens, _) => error,
            (_, Overloaded) => error with { Status = 503, Code = error.Code ?? "overloaded" },
            _ => error,
        };
}
