using System.Text;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Conformance;

/// <summary>
/// Every feature of <c>features.json</c> on every wire at every kind of provider, each a call through the Host, whole and streamed; what came of
/// it is <c>docs/wire.md</c>.
/// </summary>
public sealed class WireTableTests(ConformanceHost gateway) : IClassFixture<ConformanceHost>
{
    private const string Update =
        "UPDATE_SNAPSHOTS=1 dotnet run --project tests/Integration -- -class '*.WireTableTests'";

    private static readonly Dictionary<string, string> Wires = new(StringComparer.Ordinal)
    {
        ["chat"] = "OpenAI's chat completions",
        ["responses"] = "OpenAI's responses",
        ["messages"] = "Anthropic's messages",
    };

    private static bool IsUpdate => Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") is "1";

    [Fact]
    public async Task The_page_of_wires_says_what_calls_come_to()
    {
        var failures = new List<string>();
        var page = await WriteAsync(failures);
        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
        var path = Path.Combine(Repository.Root, "docs", "wire.md");
        if (IsUpdate)
            await File.WriteAllTextAsync(path, page, TestContext.Current.CancellationToken);

        if (!File.Exists(path) || await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken) != page)
            Assert.Fail(
                $"Calls come to something else than docs/wire.md says. If that is meant, renew it and commit it:\n{Update}"
            );
    }

    private async Task<string> WriteAsync(List<string> failures)
    {
        var features = Feature.ReadAll();
        var page = new StringBuilder(
            """
            # Wires

            What an application on one wire can have of a provider on another. Each cell is what came of calls through the server to a
            provider that checks its requests as strictly as the real ones, one whole and one streamed; `WireTableTests` writes this page
            and fails when it is no longer true.

            - **passes**: the provider was asked for it, and the application has it in its own wire's form; an error reaches it as that wire's error.
            - **400** with a name: the provider cannot do it, and the call is refused by that name before anybody is asked. With the header
              `x-verbatim-unsupported: warn` it is left out, and a header of the same name in the answer says so; that was called too.
            - **not told**: servers of this kind have no field for it in a chat completion, so nobody can know.

            Where caller and provider speak the same wire, nothing is translated: the body goes on as it is. A server of a kind that has no such
            route itself (an Ollama of an older version, say) answers so, and that answer is passed on.

            """
        );
        foreach (var (wire, title) in Wires)
        {
            page.Append('\n').Append("## Asked on ").Append(title).Append('\n');
            foreach (var group in features.Where(f => f.IsOn(wire)).GroupBy(f => f.Group, StringComparer.Ordinal))
                await WriteGroupAsync(page, wire, group, failures);
        }
        await WritePlainAsync(page, failures);
        return page.ToString();
    }

    private async Task WritePlainAsync(StringBuilder page, List<string> failures)
    {
        page.Append(
            """

            ## Everything else

            **estimated**: the provider cannot count, the gateway does, and says so. Files go to the provider that `x-verbatim-provider` names.

            """
        );
        page.Append("\n| Operation | ").AppendJoin(" | ", ConformanceHost.Kinds.Keys).Append(" |\n|---");
        page.Append(string.Concat(ConformanceHost.Kinds.Keys.Select(_ => "|---"))).Append("|\n");
        foreach (var call in PlainCall.All)
        {
            page.Append("| ").Append(call.Name);
            foreach (var kind in ConformanceHost.Kinds.Keys)
            {
                var cell = await call.OutcomeAsync(gateway, kind, TestContext.Current.CancellationToken);
                if (cell.Contains("FAILS", StringComparison.Ordinal))
                    failures.Add($"{call.Name} at {kind}: {cell}");
                page.Append(" | ").Append(cell);
            }
            page.Append(" |\n");
        }
    }

    private async Task WriteGroupAsync(
        StringBuilder page,
        string wire,
        IGrouping<string, Feature> group,
        List<string> failures
    )
    {
        page.Append("\n| ").Append(group.Key);
        foreach (var kind in ConformanceHost.Kinds.Keys)
            page.Append(" | ").Append(kind);
        page.Append(" |\n|---").Append(string.Concat(ConformanceHost.Kinds.Keys.Select(_ => "|---"))).Append("|\n");
        foreach (var feature in group)
        {
            page.Append("| ").Append(feature.Name);
            foreach (var kind in ConformanceHost.Kinds.Keys)
            {
                var cell = await new WireCall(gateway, feature, wire, kind).OutcomeAsync(
                    TestContext.Current.CancellationToken
                );
                if (cell.Contains("FAILS", StringComparison.Ordinal))
                    failures.Add($"{feature.Name}, {wire} at {kind}: {cell}");
                page.Append(" | ").Append(cell);
            }
            page.Append(" |\n");
        }
    }
}
