using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Verbatim.Evidence;

namespace Verbatim.Tests.Benchmarks.Evidence;

/// <summary>The offline verifier beside <c>sha256sum</c> over the same export, each as a process of its own.</summary>
/// <param name="rounds">The two in turn; a cell is the median.</param>
/// <param name="events">How many the export has, of about 700 bytes each.</param>
internal sealed class VerifyBenchmark(int rounds, int events)
{
    private const int EventsPerCheckpoint = 10_000;

    /// <summary>Measures and prints.</summary>
    public async Task RunAsync(TextWriter output)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "log.ndjson");
        var key = Write(file);
        var size = new FileInfo(file).Length / 1e6;
        var verifier = Repository.Build("src/Verifier", "Verbatim.Verifier.dll");
        var (verifying, hashing) = (new List<double>(), new List<double>());
        // The first of each fills the cache of the file system.
        for (var round = 0; round <= rounds; round++)
        {
            var verified = await TimeAsync("dotnet", [verifier, file, "--key", key.ToString()]);
            var hashed = await TimeAsync("sha256sum", [file]);
            if (round == 0)
                continue;
            verifying.Add(size / verified.TotalSeconds);
            hashing.Add(size / hashed.TotalSeconds);
        }

        var (verify, hash) = (Statistics.Median(verifying), Statistics.Median(hashing));
        await output.WriteLineAsync(Text($"An export of {events:N0} events, {size:N0} MB, medians of {rounds} rounds"));
        await output.WriteLineAsync();
        await output.WriteLineAsync("| | MB/s | of sha256sum |");
        await output.WriteLineAsync("|---|--:|--:|");
        await output.WriteLineAsync(Text($"| sha256sum | {hash:N0} | 100 % |"));
        await output.WriteLineAsync(
            Text($"| the offline verifier (target: 30 % at least) | {verify:N0} | {verify / hash:P0} |")
        );
        await output.WriteLineAsync();
    }

    private NoteKey Write(string path)
    {
        using var signer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        const string Origin = "example.com/benchmark";
        var key = NoteKey.Create(Origin, signer.ExportSubjectPublicKeyInfo());
        using var file = File.Create(path);
        var buffer = new ArrayBufferWriter<byte>();
        ExportLine.WriteBegin(buffer, Origin, after: 0, subtrees: []);
        var tree = new CompactTree();
        var data = Encoding.UTF8.GetBytes(
            $$"""{"model":"simulator","attempt":1,"seconds":0.25,"text":"{{new string('x', 600)}}"}"""
        );
        var (tenant, scratch, hash) = (Guid.CreateVersion7(), Array.Empty<byte>(), new byte[LeafEncoding.HashSize]);
        for (var position = 1; position <= events; position++)
        {
            var header = new LeafHeader(
                position,
                tenant,
                Guid.CreateVersion7(),
                "benchmark",
                Version: 1,
                "benchmark.happened",
                TypeVersion: 1,
                Time: 1_772_368_215_000_000 + position,
                "system:benchmark",
                "r-1"
            );
            LeafEncoding.Hash(ref scratch, header, data, hash);
            tree.Add(hash);
            ExportLine.WriteEvent(buffer, header, data, hash);
            if (position % EventsPerCheckpoint == 0 || position == events)
            {
                ExportLine.WriteCheckpoint(
                    buffer,
                    new Checkpoint(Origin, position, tree.Root()).Sign(key, signer).ToString()
                );
                file.Write(buffer.WrittenSpan);
                buffer.ResetWrittenCount();
            }
        }
        ExportLine.WriteEnd(buffer, events, (events + EventsPerCheckpoint - 1) / EventsPerCheckpoint);
        file.Write(buffer.WrittenSpan);
        return key;
    }

    private static async Task<TimeSpan> TimeAsync(string program, IReadOnlyList<string> arguments)
    {
        var began = Stopwatch.GetTimestamp();
        await Command.RunAsync(program, arguments);
        return Stopwatch.GetElapsedTime(began);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
