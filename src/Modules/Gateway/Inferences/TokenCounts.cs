using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>Counts the tokens of a call whose provider did not, as nearly as that can be; and learns how near it comes from calls whose provider did.</summary>
internal static class TokenCounts
{
    // Reading more than this again would cost more than there is to learn.
    private const int LargestSample = 64 * 1024;

    /// <summary>What a call that was answered, in full or in part, has used; null for one that has no tokens.</summary>
    public static Usage? Estimate(UpstreamAttempt attempt, ReadOnlySpan<byte> answer)
    {
        var order = attempt.Order;
        if (
            !HasTokens(order.Wire.Operation)
            || !TokenEstimate.TryOf(order.Wire.Operation, order.Request.Body, out var input, out _)
        )
            return null;
        input = attempt.Deployment.Health.Input.Scale(input);
        var output = attempt.Deployment.Health.Output.Scale(AnswerTokens.Estimate(answer));
        return new Usage(input, output, input + output, null, null, null, Estimated: true);
    }

    /// <summary>Compares what the provider counted with what would have been estimated.</summary>
    public static void Learn(UpstreamAttempt attempt, Usage counted, ReadOnlySpan<byte> answer)
    {
        var order = attempt.Order;
        var health = attempt.Deployment.Health;
        if (!HasTokens(order.Wire.Operation) || attempt.Stream is { IsComplete: false })
            return;
        // What an image, a file or sound counts is a guess of another kind.
        if (
            counted.InputTokens is { } input
            && order.Request.Body.Length <= LargestSample
            && health.Input.WantsToLearn()
            && TokenEstimate.TryOfTexts(order.Wire.Operation, order.Request.Body, out var estimate)
        )
            health.Input.Learn(estimate, input);
        // Thoughts are counted, and often not shown.
        if (
            counted is { OutputTokens: { } output, ReasoningTokens: null or 0 }
            && answer.Length <= LargestSample
            && health.Output.WantsToLearn()
        )
            health.Output.Learn(AnswerTokens.Estimate(answer), output);
    }

    private static bool HasTokens(Operation operation) =>
        operation is Operation.ChatCompletions or Operation.Responses or Operation.Messages;
}
