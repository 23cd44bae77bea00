using Verbatim.Modules.Gateway.Inferences;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>What calls cost by the prices of their deployment.</summary>
/// <remarks>
/// Exact: a price has at most six decimals and is for a million tokens, so a cost has at most twelve, and nothing is ever rounded.
/// </remarks>
internal static class Pricing
{
    /// <summary>The most prices of a deployment.</summary>
    public const int MaxPrices = 100;

    /// <summary>The highest price of a million tokens, in US dollars.</summary>
    public const decimal MaxPrice = 1_000_000;

    private const decimal Million = 1_000_000;

    /// <summary>
    /// What the tokens cost, in US dollars; null where no price holds then, or nothing was counted. What was read from or written to a cache is
    /// part of the input, and reasoning of the output: each token is paid for once.
    /// </summary>
    /// <param name="prices">The deployment's prices.</param>
    /// <param name="usage">What was counted.</param>
    /// <param name="at">The instant whose price holds.</param>
    public static decimal? CostOf(IReadOnlyList<Price> prices, Usage? usage, DateTimeOffset at)
    {
        if (usage is null || PriceAt(prices, at) is not { } price)
            return null;
        // Where one side is not said, the total tells it; embeddings have no output at all.
        var input = usage.InputTokens ?? Rest(usage.TotalTokens, usage.OutputTokens);
        var output = usage.OutputTokens ?? Rest(usage.TotalTokens, usage.InputTokens);
        if (usage.InputTokens is null && usage.OutputTokens is null)
            return null;

        // A part that is said to be larger than the whole is no reason to charge for more than the whole.
        var read = Math.Min(usage.CachedInputTokens ?? 0, input);
        var written = Math.Min(usage.CacheWriteTokens ?? 0, input - read);
        var reasoned = Math.Min(usage.ReasoningTokens ?? 0, output);
        return (
                ((input - read - written) * price.Input)
                + (read * (price.CacheRead ?? price.Input))
                + (written * (price.CacheWrite ?? price.Input))
                + ((output - reasoned) * price.Output)
                + (reasoned * (price.Reasoning ?? price.Output))
            ) / Million;
    }

    /// <summary>The price that holds at an instant, or null.</summary>
    public static Price? PriceAt(IReadOnlyList<Price> prices, DateTimeOffset at)
    {
        foreach (var price in prices)
        {
            if (price.ValidFrom <= at && (price.ValidTo is not { } end || at < end))
                return price;
        }
        return null;
    }

    /// <summary>What is wrong with a list of prices, as a sentence; null when nothing is.</summary>
    public static string? Check(IReadOnlyList<Price> prices)
    {
        if (prices.Count > MaxPrices)
            return $"Give {MaxPrices} prices at most.";
        if (prices.Any(static p => p is null))
            return "A price is null.";
        if (prices.Any(static p => p.ValidTo <= p.ValidFrom))
            return "A price's 'validTo' must be later than its 'validFrom'.";
        if (prices.Any(static p => !AmountsOf(p).All(IsAmount)))
            return "A price is 0 to 1000000 US dollars for a million tokens, with at most 6 decimals.";
        var ordered = prices.OrderBy(static p => p.ValidFrom).ToList();
        for (var i = 1; i < ordered.Count; i++)
        {
            if (ordered[i - 1].ValidTo is not { } end || end > ordered[i].ValidFrom)
                return "Two prices overlap: each must end ('validTo') before the next one begins ('validFrom').";
        }
        return null;
    }

    private static IEnumerable<decimal?> AmountsOf(Price price) =>
        [price.Input, price.Output, price.CacheRead, price.CacheWrite, price.Reasoning];

    private static bool IsAmount(decimal? amount) =>
        amount is null || (amount is >= 0 and <= MaxPrice && decimal.Round(amount.Value, 6) == amount);

    private static long Rest(long? total, long? part) => Math.Max(0, (total ?? part ?? 0) - (part ?? 0));
}
