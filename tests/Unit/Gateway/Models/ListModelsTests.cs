using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Models;

namespace Verbatim.Tests.Unit.Gateway.Models;

public sealed class ListModelsTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // Newest first: m9 … m0.
    private static readonly Route[] Routes =
    [
        .. Enumerable
            .Range(0, 10)
            .Select(i => new Route(
                $"m{i}",
                [],
                new RoutePipeline(maxAttempts: 1, hedgeAfter: null, TimeProvider.System)
            )
            {
                CreatedAt = Start.AddDays(i),
            }),
    ];

    [Theory]
    [InlineData(null, null, null, "m9", "m0", false)]
    [InlineData("3", null, null, "m9", "m7", true)]
    [InlineData("3", "m7", null, "m6", "m4", true)]
    [InlineData("3", "m2", null, "m1", "m0", false)]
    [InlineData("3", null, "m3", "m6", "m4", true)]
    [InlineData("3", null, "m7", "m9", "m8", false)]
    [InlineData("3", "m0", null, null, null, false)]
    [InlineData("10", null, null, "m9", "m0", false)]
    public void A_page_is_cut_as_Anthropic_cuts_it(
        string? limit,
        string? after,
        string? before,
        string? first,
        string? last,
        bool hasMore
    )
    {
        var page = ListModels.PageOf(
            Routes,
            new ListModelsRequest
            {
                Limit = limit,
                AfterId = after,
                BeforeId = before,
            },
            out var error
        );

        Assert.Null(error);
        Assert.Equal((first, last, hasMore), (page!.FirstId, page.LastId, page.HasMore));
    }

    [Theory]
    [InlineData("0", null, null)]
    [InlineData("1001", null, null)]
    [InlineData("many", null, null)]
    [InlineData("-1", null, null)]
    [InlineData(null, "nobody", null)]
    [InlineData(null, null, "nobody")]
    [InlineData(null, "m1", "m3")]
    public void What_cannot_be_cut_is_refused(string? limit, string? after, string? before)
    {
        var page = ListModels.PageOf(
            Routes,
            new ListModelsRequest
            {
                Limit = limit,
                AfterId = after,
                BeforeId = before,
            },
            out var error
        );

        Assert.Null(page);
        Assert.Equal(400, error!.Status);
    }
}
