using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Models;

namespace Verbatim.Tests.Unit.Gateway.Models;

public sealed class PricingTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Now = Start.AddDays(10);

    private static readonly Price Full = new(
        Start,
        ValidTo: null,
        Input: 2.5m,
        Output: 10m,
        CacheRead: 1.25m,
        CacheWrite: 3.125m,
        Reasoning: 12m
    );

    [Fact]
    public void Each_token_is_paid_for_once_by_its_own_kind()
    {
        // 1000 of input: 600 read from a cache, 100 written to it, 300 plain; 500 of output: 200 thought, 300 said.
        var usage = new Usage(1000, 500, 1500, 600, 100, 200, Estimated: false);

        var cost = Pricing.CostOf([Full], usage, Now);

        Assert.Equal(0.0075125m, cost);
        Assert.Equal(((300 * 2.5m) + (600 * 1.25m) + (100 * 3.125m) + (300 * 10m) + (200 * 12m)) / 1_000_000, cost);
    }

    [Fact]
    public void A_kind_without_a_price_costs_what_the_broader_kind_costs()
    {
        var usage = new Usage(1000, 500, 1500, 600, 100, 200, Estimated: false);
        var plain = new Price(Start, ValidTo: null, Input: 2.5m, Output: 10m);

        Assert.Equal(0.0075m, Pricing.CostOf([plain], usage, Now));
    }

    [Fact]
    public void A_free_kind_is_free_and_not_missing() =>
        Assert.Equal(
            0.001m,
            Pricing.CostOf([Full with { CacheRead = 0 }], new Usage(1000, 0, 1000, 600, 0, 0, Estimated: false), Now)
        );

    [Fact]
    public void Nothing_is_rounded()
    {
        var usage = new Usage(1, 1, 2, null, null, null, Estimated: false);
        var tiny = new Price(Start, ValidTo: null, Input: 0.000001m, Output: 0.000002m);

        Assert.Equal(0.000000000003m, Pricing.CostOf([tiny], usage, Now));
    }

    [Fact]
    public void What_nobody_counted_has_no_cost()
    {
        Assert.Null(Pricing.CostOf([Full], usage: null, Now));
        Assert.Null(Pricing.CostOf([Full], new Usage(null, null, 70, null, null, null, Estimated: false), Now));
        Assert.Null(Pricing.CostOf([], new Usage(1, 1, 2, null, null, null, Estimated: false), Now));
    }

    [Fact]
    public void One_side_that_is_not_said_is_what_the_total_leaves()
    {
        // An embedding has no output; another provider says the total and the output alone.
        Assert.Equal(0.00025m, Pricing.CostOf([Full], new Usage(100, null, 100, null, null, null, false), Now));
        Assert.Equal(0.00045m, Pricing.CostOf([Full], new Usage(null, 20, 120, null, null, null, false), Now));
        Assert.Equal(0.0002m, Pricing.CostOf([Full], new Usage(null, 20, null, null, null, null, false), Now));
    }

    [Fact]
    public void A_part_that_is_larger_than_the_whole_is_charged_as_the_whole() =>
        Assert.Equal(
            ((100 * 1.25m) + (50 * 12m)) / 1_000_000,
            Pricing.CostOf([Full], new Usage(100, 50, 150, 900, 40, 70, Estimated: false), Now)
        );

    [Fact]
    public void The_price_is_that_of_the_instant()
    {
        var first = new Price(Start, Start.AddDays(1), 1, 1);
        var second = new Price(Start.AddDays(1), Start.AddDays(2), 2, 2);
        Price[] prices = [second, first];

        Assert.Null(Pricing.PriceAt(prices, Start.AddTicks(-1)));
        Assert.Equal(first, Pricing.PriceAt(prices, Start));
        Assert.Equal(first, Pricing.PriceAt(prices, Start.AddDays(1).AddTicks(-1)));
        Assert.Equal(second, Pricing.PriceAt(prices, Start.AddDays(1)));
        Assert.Null(Pricing.PriceAt(prices, Start.AddDays(2)));
    }

    [Fact]
    public void Prices_that_overlap_are_refused_and_those_that_touch_are_not()
    {
        var first = new Price(Start, Start.AddDays(1), 1, 1);

        Assert.Null(Pricing.Check([first, new Price(Start.AddDays(1), null, 2, 2)]));
        Assert.NotNull(Pricing.Check([first, new Price(Start.AddHours(23), null, 2, 2)]));
        Assert.NotNull(Pricing.Check([first with { ValidTo = null }, new Price(Start.AddDays(1), null, 2, 2)]));
        Assert.NotNull(Pricing.Check([first, first]));
        Assert.NotNull(Pricing.Check([first with { ValidTo = Start }]));
    }

    [Theory]
    [InlineData("-0.01", false)]
    [InlineData("0", true)]
    [InlineData("0.000001", true)]
    [InlineData("0.0000001", false)]
    [InlineData("1000000", true)]
    [InlineData("1000000.01", false)]
    public void A_price_is_an_amount_that_can_be_kept_exactly(string amount, bool isValid)
    {
        var price = decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture);

        Assert.Equal(isValid, Pricing.Check([new Price(Start, null, price, 1)]) is null);
        Assert.Equal(isValid, Pricing.Check([new Price(Start, null, 1, 1, Reasoning: price)]) is null);
    }

    [Fact]
    public void A_cost_is_never_negative_nor_more_than_all_tokens_at_the_dearest_price() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<(uint, uint, uint)>(),
                ArbMap.Default.ArbFor<(uint, uint)>(),
                (whole, parts) =>
                {
                    var usage = new Usage(whole.Item1, whole.Item2, null, whole.Item3, parts.Item1, parts.Item2, false);
                    var cost = Pricing.CostOf([Full], usage, Now);
                    Assert.InRange(cost!.Value, 0, ((whole.Item1 * 3.125m) + (whole.Item2 * 12m)) / 1_000_000);
                }
            )
            .QuickCheckThrowOnFailure();
}
