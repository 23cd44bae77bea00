using System.Collections.Concurrent;
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

    private const int AtOnce = 24;
    private const string Plain = "as it is";

    private readonly ConcurrentDictionary<Call, string> _cells = new();

    private static readonly Dictionary<string, string> Wires = new(StringComparer.Ordinal)
    {
        ["chat"] = "OpenAI's chat completions",
        ["responses"] = "OpenAI's responses",
        ["messages"] = "Anthropic's messages",
    };

    // A row of the table, a feature or a plain call, where it is asked for and of whom.
    private sealed record Call(object Row, string Wire, string Kind)
    {
        public override string ToString() => $"{(Row as Feature)?.Name ?? ((PlainCall)Row).Name}, {Wire} at {Kind}";
    }

    private static bool IsUpdate => Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") is "1";

    [Fact]
    public async Task The_page_of_wires_says_what_calls_come_to()
    {
        var features = Feature.ReadAll();
        await MakeCallsAsync(features);
        var failures = _cells.Where(c => c.Value.Contains("FAILS", StringComparison.Ordinal)).ToList();
        Assert.True(failures.Count == 0, string.Join("\n\n", failures.Select(f => $"{f.Key}: {f.Value}")));
        var page = Write(features);
        var path = Path.Combine(Repository.Root, "docs", "wire.md");
        if (IsUpdate)
            await File.WriteAllTextAsync(path, page, TestContext.Current.CancellationToken);

        if (!File.Exists(path) || await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken) != page)
            Assert.Fail(
                $"Calls come to something else than docs/wire.md says. If that is meant, renew it and commit it:\n{Update}"
            );
    }

    // At once and in any order: what one call takes of another shows as a cell that fails.
    private async Task MakeCallsAsync(IReadOnlyList<Feature> features)
    {
        var calls = ConformanceHost
            .Kinds.Keys.SelectMany(kind =>
                Wires
                    .Keys.SelectMany(wire => features.Where(f => f.IsOn(wire)).Select(f => new Call(f, wire, kind)))
                    .Concat(PlainCall.All.Select(c => new Call(c, Plain, kind)))
            )
            .ToArray();
        Random.Shared.Shuffle(calls);
        await Parallel.ForEachAsync(
            calls,
            new ParallelOptions
            {
                MaxDegreeOfParallelism = AtOnce,
                CancellationToken = TestContext.Current.CancellationToken,
            },
            async (call, cancellation) =>
                _cells[call] = call.Row is Feature feature
                    ? await new WireCall(gateway, feature, call.Wire, call.Kind).OutcomeAsync(cancellation)
                    : await ((PlainCall)call.Row).OutcomeAsync(gateway, call.Kind, cancellation)
        );
    }

    private string Write(IReadOnlyList<Feature> features)
    {
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
                WriteGroup(page, wire, group);
        }
        WritePlain(page);
        return page.ToString();
    }

    private void WritePlain(StringBuilder page)
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
            WriteRow(page, call.Name, call, Plain);
    }

    private void WriteGroup(StringBuilder page, string wire, IGrouping<string, Feature> group)
    {
        page.Append("\n| ").Append(group.Key);
        foreach (var kind in ConformanceHost.Kinds.Keys)
            page.Append(" | ").Append(kind);
        page.Append(" |\n|---").Append(string.Concat(ConformanceHost.Kinds.Keys.Select(_ => "|---"))).Append("|\n");
        foreach (var feature in group)
            WriteRow(page, feature.Name, feature, wire);
    }

    private void WriteRow(StringBuilder page, string name, object row, string wire)
    {
        page.Append("| ").Append(name);
        foreach (var kind in ConformanceHost.Kinds.Keys)
            page.Append(" | ").Append(_cells[new Call(row, wire, kind)]);
        page.Append(" |\n");
    }
}
