using System.Globalization;
using System.Text.Json;
using Verbatim.Modules.Audit.Streams;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Replay;

/// <summary>Tells a stream step by step, as it is recorded. Reads only: nothing is asked of a provider or a tool again.</summary>
internal sealed class ReplayStream(
    StreamSearch search,
    StreamHistory streams,
    DocumentCatalog documents,
    EventReader reader
) : ICommand
{
    private const int MaxCandidates = 10;

    public string Name => "replay";

    public string Usage => ReplayArguments.Usage;

    public string Summary =>
        "Tells a stream event by event, and what each changed; the first digits of its id are enough.";

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
        var shape = documents.Find(stream.StreamType);
        await writer.BeginAsync(stream, last, head.Version, hasDocument: shape is not null);
        var isIntact = true;
        await foreach (var step in StepsAsync(stream, shape, last, cancellationToken))
        {
            isIntact &= step.IsIntact;
            await writer.WriteAsync(stream, step);
        }
        await writer.EndAsync();
        return isIntact ? 0 : 1;
    }

    private async IAsyncEnumerable<ReplayStep> StepsAsync(
        FoundStream stream,
        DocumentShape? shape,
        long last,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var fold = shape is null ? null : new StateFold(shape, reader);
        RawJson? before = null;
        string? fault = null;
        var read = streams.ReadAsync(stream.TenantId, stream.StreamId, 1, last, cancellationToken);
        await foreach (var recorded in read)
        {
            // A state that misses an event is no state: after the first fault there is none any more, but the events go on.
            fault ??= fold is null ? null : await TryAddAsync(fold, recorded, cancellationToken);
            RawJson? after = fold is null || fault is not null ? null : fold.Json();
            var opened = await reader.OpenAsync(recorded, cancellationToken);
            yield return new ReplayStep(
                recorded,
                recorded.LeafHash.Span.SequenceEqual(recorded.HashLeaf()),
                before,
                after,
                after is null ? null : fold!.State,
                fault
            )
            {
                Opened = opened.Equals(recorded.Data) ? null : new RawJson(opened),
            };
            before = after;
        }
    }

    private static async ValueTask<string?> TryAddAsync(
        StateFold fold,
        RecordedEvent recorded,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await fold.AddAsync(recorded, cancellationToken);
            return null;
        }
        catch (Exception e) when (e is UnknownEventException or UnexpectedEventException)
        {
            return e.Message;
        }
        catch (JsonException)
        {
            return Text($"The data of event {recorded.Version} does not fit the shape of its type.");
        }
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

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
