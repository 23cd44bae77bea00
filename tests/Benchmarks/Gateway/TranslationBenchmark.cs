using System.Globalization;

namespace Verbatim.Tests.Benchmarks.Gateway;

/// <summary>What it costs when caller and provider speak different wires: calls a second, beside the same provider asked on its own wire.</summary>
internal sealed class TranslationBenchmark(int rounds, TimeSpan duration)
{
    private const int Connections = 128;
    private const string Question =
        "\"messages\":[{\"role\":\"user\",\"content\":\"Say something short and kind.\"}],\"max_tokens\":200";

    public async Task RunAsync(TextWriter output)
    {
        using var folder = new TemporaryFolder();
        var port = Server.FreePort();
        await using var upstream = await Peers.StartUpstreamAsync(folder.Path, port);
        await using var verbatim = await VerbatimServer.StartAsync(
            folder.Home,
            Path.Combine(folder.Path, "verbatim.log"),
            port
        );

        await output.WriteLineAsync("| provider's wire | answers | same wire /s | translated /s | kept |");
        await output.WriteLineAsync("|---|---|---:|---:|---:|");
        foreach (var isStream in new[] { false, true })
        {
            await MeasureAsync(output, verbatim, "chat/completions", "gpt-fake", "messages", isStream);
            await MeasureAsync(output, verbatim, "messages", "claude-fake", "chat/completions", isStream);
            await MeasureAsync(output, verbatim, "chat/completions", "gpt-fake", "responses", isStream);
        }
    }

    private async Task MeasureAsync(
        TextWriter output,
        VerbatimServer verbatim,
        string own,
        string model,
        string other,
        bool isStream
    )
    {
        var (same, translated) = (new List<double>(), new List<double>());
        foreach (var route in new[] { own, other })
            await Wrk.RunAsync(Target(verbatim, route), Body(route, model, isStream), Connections, Wrk.WarmUp);
        for (var round = 0; round < rounds; round++)
        {
            same.Add(await RateAsync(verbatim, own, model, isStream));
            translated.Add(await RateAsync(verbatim, other, model, isStream));
        }
        var (before, after) = (Statistics.Median(same), Statistics.Median(translated));
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {own}, asked by {other} | {(isStream ? "streams of 50 chunks" : "JSON")} | {before:N0} | {after:N0} | {after / before:P0} |"
            )
        );
    }

    private async Task<double> RateAsync(VerbatimServer verbatim, string route, string model, bool isStream) =>
        (
            await Wrk.RunAsync(Target(verbatim, route), Body(route, model, isStream), Connections, duration)
        ).RequestsPerSecond;

    private static Target Target(VerbatimServer verbatim, string route) => verbatim.Target(route, "v1/" + route);

    // The name carries the command, since a translated request drops fields that no wire knows.
    private static string Body(string route, string model, bool isStream) =>
        route == "responses"
            ? $"{{\"model\":\"{Named(model, isStream)}\",\"input\":\"Say something short and kind.\",\"max_output_tokens\":200{Stream(isStream)}}}"
            : $"{{\"model\":\"{Named(model, isStream)}\",{Question}{Stream(isStream)}}}";

    private static string Named(string model, bool isStream) => isStream ? model + "@chunks=50" : model;

    private static string Stream(bool isStream) => isStream ? ",\"stream\":true" : "";
}
