using Verbatim.Tests.Integration.Gateway.Conformance;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>The official JavaScript SDKs from npm, in Node, as they are, each against each kind of provider.</summary>
public sealed class NodeSdkTests(ConformanceHost gateway) : IClassFixture<ConformanceHost>
{
    public static TheoryData<string, string, string> Pairs
    {
        get
        {
            var pairs = new TheoryData<string, string, string>();
            foreach (var kind in ConformanceHost.Kinds.Keys)
            {
                pairs.Add("openai.mjs", "openai", kind);
                pairs.Add("anthropic.mjs", "@anthropic-ai/sdk", kind);
            }
            return pairs;
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task It_has_every_feature_of_its_api(string script, string package, string kind)
    {
        var seen = await NodeClient.RunAsync(
            script,
            package,
            new Uri(gateway.Host.Address, "v1").ToString(),
            gateway.ApiKey,
            kind,
            // The two scripts run one after the other on deployments that fail: each has its own.
            ConformanceHost.Kinds[kind] + (script == "openai.mjs" ? "" : "second-")
        );

        var results = seen["results"]!.AsObject();
        Assert.True(results.Count >= 15, "The script has hardly checked anything.");
        var wrong = results.Where(r => r.Value is not null).Select(r => $"{r.Key}: {r.Value}").ToList();
        Assert.True(wrong.Count == 0, string.Join("\n\n", wrong));
        var outcome = await gateway.OutcomeOfAsync(
            Guid.Parse(seen["facts"]!["left"]!.GetValue<string>()),
            TestContext.Current.CancellationToken
        );
        Assert.Equal("gateway.inference-cancelled", outcome.Type);
    }
}
