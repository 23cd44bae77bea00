using System.Text.RegularExpressions;

namespace Verbatim.Tests.Architecture;

public sealed partial class SourceTests
{
    // Where a rule does not hold, and why. A line here is a decision, not a way out.
    private static readonly Dictionary<string, string> Exceptions = new(StringComparer.Ordinal)
    {
        ["src/Platform/Events/IdSource.cs"] = "the one source of ids",
        ["src/Platform/Http/RequestId.cs"] =
            "the id of a request is nobody's key, and is made before any service is asked",
        ["src/Platform/Messaging/Backoff.cs"] = "the jitter of a pause between retries",
        ["src/Platform/Events/LogWriter.cs"] = "a thread of its own, which waits for Postgres to come back",
        ["src/Platform/Postgres/Embedded/EmbeddedPostgres.cs"] =
            "waits for another process, which knows the real time only",
        ["src/Platform/Postgres/Embedded/ServerProcess.cs"] =
            "waits for another process, which knows the real time only",
    };

    [Fact]
    public void Time_comes_from_TimeProvider() =>
        Findings.AssertNone(Violations(Clock(), "Take a TimeProvider, so that tests decide the time."));

    [Fact]
    public void Ids_come_from_IdSource() =>
        Findings.AssertNone(Violations(NewGuid(), "Take IdSource, so that ids sort by age."));

    [Fact]
    public void Chance_is_for_secrets_and_comes_from_the_cryptographic_source() =>
        Findings.AssertNone(Violations(Chance(), "Use RandomNumberGenerator for a secret; nothing else needs chance."));

    [Fact]
    public void Waiting_goes_by_TimeProvider() =>
        Findings.AssertNone(Violations(RealDelay(), "Give Task.Delay a TimeProvider, so that tests need not wait."));

    [Fact]
    public void Nothing_blocks_a_thread_on_a_task() =>
        Findings.AssertNone(
            Violations(Blocking(), "Await it: a blocked thread of the pool is one less for everybody.")
        );

    [Fact]
    public void An_endpoint_reaches_no_further_than_its_caller() =>
        Findings.AssertNone(
            Product
                .Sources.Where(f => f.Code.Contains(": IEndpoint", StringComparison.Ordinal))
                .SelectMany(f => f.Find(WholeOrganization()))
                .Select(place => $"{place} Pass caller.Access, so that what is not the caller's is not found.")
        );

    [Fact]
    public void Every_exception_from_a_rule_is_still_needed()
    {
        Regex[] rules = [Clock(), NewGuid(), Chance(), RealDelay(), Blocking()];

        var stale = Exceptions.Keys.Where(path =>
            !Product.Sources.Any(f => f.Path == path && rules.Any(rule => f.Find(rule).Any()))
        );

        Findings.AssertNone(stale);
    }

    [Fact]
    public void Tests_wait_for_something_and_not_for_a_while()
    {
        // A pause between two looks is part of a loop; anything else hopes.
        var hopes = Product
            .TestSources.Where(f => IsTest(f.Path))
            .SelectMany(f =>
            {
                var lines = f.Code.Split('\n');
                return Enumerable
                    .Range(0, lines.Length)
                    .Where(i => TestDelay().IsMatch(lines[i]))
                    .Where(i => !IsInLoop(lines, i))
                    .Select(i =>
                        $"{f.Path}:{i + 1}: {lines[i].Trim()} Wait for what you expect, in a loop that looks for it."
                    );
            });

        Findings.AssertNone(hopes);
    }

    [Fact]
    public void Suppressions_are_few()
    {
        var pragmas = Product.Sources.Concat(Product.TestSources).SelectMany(f => f.Find(Suppression())).ToList();
        var rules = File.ReadLines(Path.Combine(Product.Root, ".editorconfig"))
            .Where(line => line.StartsWith("dotnet_diagnostic.", StringComparison.Ordinal))
            .Where(line => line.EndsWith("= none", StringComparison.Ordinal))
            .ToList();

        Assert.True(
            pragmas.Count + rules.Count <= 20,
            "So many suppressions mean that the rule set is wrong:\n" + string.Join('\n', pragmas.Concat(rules))
        );
    }

    [Fact]
    public void Every_rule_that_is_switched_off_says_why()
    {
        var lines = File.ReadAllLines(Path.Combine(Product.Root, ".editorconfig"));

        var silent = lines
            .Select((line, index) => (Line: line, Before: index == 0 ? "" : lines[index - 1]))
            .Where(l => l.Line.EndsWith("severity = none", StringComparison.Ordinal))
            .Where(l => !l.Before.StartsWith('#') && !l.Before.EndsWith("severity = none", StringComparison.Ordinal))
            .Select(l => l.Line);

        Findings.AssertNone(silent);
    }

    private static IEnumerable<string> Violations(Regex rule, string advice) =>
        Product
            .Sources.Where(f => !Exceptions.ContainsKey(f.Path))
            .SelectMany(f => f.Find(rule))
            .Select(place => $"{place} {advice}");

    // CSharpier indents, so whatever encloses a line stands further left.
    private static bool IsInLoop(string[] lines, int line)
    {
        var indent = Indent(lines[line]);
        for (var i = line - 1; i >= 0 && indent > 4; i--)
        {
            if (lines[i].Length == 0 || Indent(lines[i]) >= indent)
                continue;
            indent = Indent(lines[i]);
            // A brace stands under its statement, whose condition may have several lines.
            if (lines[Math.Max(0, i - 6)..(i + 1)].Any(l => Indent(l) <= indent && Loop().IsMatch(l)))
                return true;
        }
        return false;
    }

    private static int Indent(string line) => line.Length - line.TrimStart().Length;

    private static bool IsTest(string path) =>
        path.StartsWith("tests/Unit/", StringComparison.Ordinal)
        || path.StartsWith("tests/Integration/", StringComparison.Ordinal)
        || path.StartsWith("tests/Architecture/", StringComparison.Ordinal);

    [GeneratedRegex(@"\bAccess\.ToAll\(", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex WholeOrganization();

    [GeneratedRegex(
        @"\bDateTime(Offset)?\.(UtcNow|Now|Today)\b",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Clock();

    [GeneratedRegex(
        @"\bGuid\.(NewGuid|CreateVersion7)\(",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex NewGuid();

    [GeneratedRegex(@"\bRandom\.Shared\b|\bnew Random\(", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Chance();

    // Two arguments at most, the second a token: no clock among them.
    [GeneratedRegex(
        @"\bTask\.Delay\((?!.*\b_?[tT]ime\b)|\bThread\.Sleep\(",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex RealDelay();

    [GeneratedRegex(
        @"\.GetAwaiter\(\)\.GetResult\(\)|\.Wait\(\)",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Blocking();

    [GeneratedRegex(
        @"\bTask\.Delay\((?!Timeout\.Infinite)|\bThread\.Sleep\(",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex TestDelay();

    [GeneratedRegex(@"\b(while|for|do)\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Loop();

    [GeneratedRegex(
        @"#pragma warning disable|\[.*SuppressMessage",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Suppression();
}
