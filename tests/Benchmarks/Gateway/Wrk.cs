using System.Globalization;
using System.Text.RegularExpressions;

namespace Verbatim.Tests.Benchmarks.Gateway;

/// <summary>What one run of wrk measured.</summary>
/// <param name="RequestsPerSecond">Answers a second, all of them of status 2xx.</param>
/// <param name="P50Ms">Half of the answers took at most this long.</param>
/// <param name="P99Ms">All but one in a hundred took at most this long.</param>
internal sealed record Measurement(double RequestsPerSecond, double P50Ms, double P99Ms);

/// <summary>The load generator: Debian's wrk, against an address of this machine.</summary>
internal static partial class Wrk
{
    /// <summary>Until the runtimes of the targets have compiled what is hot.</summary>
    public static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(40);

    /// <summary>Sends the same POST again and again over some connections.</summary>
    /// <exception cref="InvalidOperationException">Some answers were errors: the figures would mean nothing.</exception>
    public static Task<Measurement> RunAsync(Target target, string body, int connections, TimeSpan duration) =>
        RunScriptAsync(target, Script(target, body), connections, duration);

    /// <summary>Sends the same GET again and again over some connections.</summary>
    /// <inheritdoc cref="RunAsync"/>
    public static Task<Measurement> GetAsync(Target target, int connections, TimeSpan duration) =>
        RunScriptAsync(target, Headers(target), connections, duration);

    private static async Task<Measurement> RunScriptAsync(
        Target target,
        string text,
        int connections,
        TimeSpan duration
    )
    {
        var script = Path.GetTempFileName();
        await File.WriteAllTextAsync(script, text);
        try
        {
            var threads = Math.Min(connections, 2);
            var output = await Command.RunAsync(
                "wrk",
                [
                    $"-t{threads}",
                    $"-c{connections}",
                    string.Create(CultureInfo.InvariantCulture, $"-d{duration.TotalSeconds:0}s"),
                    "--latency",
                    "--timeout",
                    "30s",
                    "-s",
                    script,
                    target.Address.ToString(),
                ]
            );
            if (
                output.Contains("Non-2xx", StringComparison.Ordinal)
                || output.Contains("Socket errors", StringComparison.Ordinal)
            )
                throw new InvalidOperationException(
                    $"{target.Name} at {connections} connections answered errors:\n{output}"
                );
            return new Measurement(
                double.Parse(RateLine().Match(output).Groups["rate"].ValueSpan, CultureInfo.InvariantCulture),
                Milliseconds(output, "50%"),
                Milliseconds(output, "99%")
            );
        }
        finally
        {
            File.Delete(script);
        }
    }

    private static string Script(Target target, string body) =>
        $"""
            wrk.method = "POST"
            wrk.body = [==[{body}]==]
            wrk.headers["Content-Type"] = "application/json"
            {Headers(target)}
            """;

    private static string Headers(Target target) =>
        string.Join('\n', target.Headers.Select(h => $"wrk.headers[\"{h.Key}\"] = \"{h.Value}\""));

    private static double Milliseconds(string output, string percentile)
    {
        var match =
            PercentileLine().Matches(output).FirstOrDefault(m => m.Groups["percentile"].Value == percentile)
            ?? throw new InvalidOperationException($"wrk printed no latency, so nothing was answered:\n{output}");
        var value = double.Parse(match.Groups["value"].ValueSpan, CultureInfo.InvariantCulture);
        return match.Groups["unit"].Value switch
        {
            "us" => value / 1000,
            "ms" => value,
            "s" => value * 1000,
            var unit => throw new InvalidOperationException($"wrk printed a time in '{unit}'."),
        };
    }

    [GeneratedRegex(
        @"Requests/sec:\s+(?<rate>[\d.]+)",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex RateLine();

    [GeneratedRegex(
        @"^\s+(?<percentile>\d+%)\s+(?<value>[\d.]+)(?<unit>us|ms|s)\s*$",
        RegexOptions.CultureInvariant | RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex PercentileLine();
}

/// <summary>Where a load goes.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="Address">The address that is called.</param>
/// <param name="Headers">What the target needs besides.</param>
internal sealed record Target(string Name, Uri Address, IReadOnlyDictionary<string, string> Headers);
