using Verbatim.Modules.Audit.Changes;
using Verbatim.Modules.Audit.Streams;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Replay;

/// <summary>Tells a stream step by step, as it is recorded. Reads only: nothing is asked of a provider or a tool again.</summary>
[Command(
    "replay",
    Usage = ReplayArguments.Usage,
    Summary = "Tells a stream event by event, and what each changed; the first digits of its id are enough."
)]
internal sealed class ReplayStream(StreamSearch search, StreamHistory streams, StateSteps steps) : ICommand
{
    private const int MaxCandidates = 10;

    public async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        var asked = ReplayArguments.Parse(arguments);
        var found = await search.FindAsync(asked.Stream, MaxCandidates + 1, cancellationToken);
        if (found.Count == 0)
            return await RefuseAsync(output, $"There is no stream whose id begins with {asked.Stream.Digits}.");
        if (found.Count > 1)
            return await RefuseAsync(output, Candidates(asked.Stream, found));

        var stream = found[0];
        var head = (await streams.FindAsync(stream.TenantId, stream.StreamId, cancellationToken))!;
        var last = asked.AtVersion ?? head.Version;
        if (last > head.Version)
            return await RefuseAsync(output, StreamErrors.NoSuchVersion(last, head.Version).Message);
        if (asked.At is { } at)
            last = await streams.VersionAtAsync(stream.TenantId, stream.StreamId, at, cancellationToken);
        if (last == 0)
            return await RefuseAsync(output, StreamErrors.NotBegun(head.BeganAt).Message);

        IReplayWriter writer = asked.IsJson
            ? new JsonReplay(output)
            : new TextReplay(output, Terminal.Of(output), asked.IsFull);
        await writer.BeginAsync(stream, last, head.Version, steps.HasDocument(stream.StreamType));
        var isIntact = true;
        var told = steps.ReadAsync(stream.TenantId, stream.StreamId, stream.StreamType, 1, last, cancellationToken);
        await foreach (var step in told)
        {
            isIntact &= step.IsIntact;
            await writer.WriteAsync(stream, step);
        }
        await writer.EndAsync();
        return isIntact ? 0 : 1;
    }

    private static string Candidates(StreamPrefix prefix, IReadOnlyList<FoundStream> found)
    {
        // The same id in two organizations cannot be told apart by more digits, but does not happen either: ids are random.
        var tells = found.Select(s => s.TenantId).Distinct().Skip(1).Any();
        var lines = found
            .Take(MaxCandidates)
            .Select(s =>
                $"  {s.StreamId}  {Printable.Line(s.StreamType)}, begun {Times.Of(s.BeganAt)} by {Printable.Line(s.BeganBy)}"
                + (tells ? $", organization {s.TenantId}" : "")
            );
        var rest = found.Count > MaxCandidates ? ["  … and more"] : Array.Empty<string>();
        return string.Join(
            '\n',
            [$"The ids of several streams begin with {prefix.Digits}. Give more digits:", .. lines, .. rest]
        );
    }

    private static async Task<int> RefuseAsync(TextWriter output, string message)
    {
        await output.WriteAsync(message + "\n");
        return 1;
    }
}
