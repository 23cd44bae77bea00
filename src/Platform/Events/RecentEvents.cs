using System.Runtime.InteropServices;
using Verbatim.Evidence;

namespace Verbatim.Platform.Events;

/// <summary>
/// What this instance has appended in the last moments, as it stands in the log. A subscription that runs here, and is not behind, takes it from
/// here instead of asking the database for what has only just gone there.
/// </summary>
/// <remarks>
/// Holds what its readers have not had yet, and no more than the largest event has, for two seconds at most: whatever is missing is in the log. What
/// is held for long is copied by the garbage collector again and again.
/// </remarks>
/// <param name="time">Tells how old something is.</param>
/// <param name="maxBytes">The most that is held.</param>
internal sealed class RecentEvents(TimeProvider time, long maxBytes)
{
    // What an event costs beside its data.
    private const int EventOverhead = 512;

    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Queue<Part> _parts = new();
    private readonly Dictionary<object, Reader> _readers = [];
    private long _bytes;
    private long? _lastReadAt;

    /// <summary>Holds as much as one event may be: to read a large one from the database would hold it again, twice.</summary>
    public RecentEvents(TimeProvider time)
        : this(time, EventStore.MaxAppendBytes + (1024 * EventOverhead)) { }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Reader(long Reached, long At);

    private sealed record Part(long Base, long Time, AppendPlan.Row[] Rows, byte[] Hashes, int Bytes, long AddedAt)
    {
        public long Last => Base + Rows.Length;
    }

    /// <summary>The plan was committed.</summary>
    public void Add(AppendPlan plan)
    {
        var bytes = 0L;
        foreach (var row in plan.Rows)
            bytes += row.Event.Data.Length + EventOverhead;
        lock (_gate)
        {
            if (bytes > maxBytes || _lastReadAt is not { } read || time.GetElapsedTime(read) > MaxAge)
            {
                Clear();
                return;
            }
            _parts.Enqueue(
                new Part(
                    plan.Base.Position,
                    plan.Time,
                    [.. plan.Rows],
                    plan.Hashes.ToArray(),
                    (int)bytes,
                    time.GetTimestamp()
                )
            );
            _bytes += bytes;
            while (_bytes > maxBytes)
                _bytes -= _parts.Dequeue().Bytes;
        }
    }

    /// <summary>Somebody has everything up to a position, and will want what comes behind it: what nobody wants any more is forgotten.</summary>
    public void Reached(object reader, long position)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            _lastReadAt = now;
            _readers[reader] = new Reader(position, now);
            var all = long.MaxValue;
            foreach (var (other, known) in _readers)
            {
                if (time.GetElapsedTime(known.At, now) > MaxAge)
                    _readers.Remove(other);
                else
                    all = Math.Min(all, known.Reached);
            }
            while (
                _parts.TryPeek(out var oldest)
                && (oldest.Last <= all || time.GetElapsedTime(oldest.AddedAt, now) > MaxAge)
            )
                _bytes -= _parts.Dequeue().Bytes;
        }
    }

    /// <summary>Somebody who has read here does not come back.</summary>
    public void Leave(object reader)
    {
        lock (_gate)
            _readers.Remove(reader);
    }

    /// <summary>The events of some types behind a position, if all that comes next is here.</summary>
    /// <param name="reader">Who asks: what all who ask have had is forgotten.</param>
    /// <param name="types">Stored names.</param>
    /// <param name="after">Only events behind this position,</param>
    /// <param name="upTo">and up to this one.</param>
    /// <param name="limit">The most that are found.</param>
    /// <param name="reached">Everything up to here was looked at.</param>
    /// <returns>The events in their order; null when the log must be asked.</returns>
    public List<RecordedEvent>? Read(object reader, string[] types, long after, long upTo, int limit, out long reached)
    {
        var found = Find(types, after, upTo, limit, out reached);
        // Who must ask the log will have read it up to there, and finds the rest here: if others, who are ahead, leave it.
        Reached(reader, found is null ? upTo : reached);
        return found;
    }

    private List<RecordedEvent>? Find(string[] types, long after, long upTo, int limit, out long reached)
    {
        reached = after;
        Part[] parts;
        lock (_gate)
        {
            parts = [.. _parts.SkipWhile(p => p.Last <= after)];
        }
        if (parts.Length == 0 || parts[0].Base > after)
            return null;
        var found = new List<RecordedEvent>();
        foreach (var part in parts)
        {
            // Another instance wrote in between.
            if (part.Base > reached)
                break;
            for (var i = (int)(reached - part.Base); i < part.Rows.Length; i++)
            {
                if (reached == upTo || found.Count == limit)
                    return found;
                reached++;
                if (types.Contains(part.Rows[i].Event.Type))
                    found.Add(Recorded(part, i));
            }
        }
        return found;
    }

    private void Clear()
    {
        _parts.Clear();
        _bytes = 0;
    }

    private static RecordedEvent Recorded(Part part, int index)
    {
        ref readonly var row = ref part.Rows[index];
        var (stream, encoded) = (row.Stream, row.Event);
        return new RecordedEvent
        {
            Position = row.Position,
            TenantId = stream.Context.TenantId,
            StreamId = stream.StreamId,
            StreamType = stream.StreamType,
            Version = row.Version,
            Type = encoded.Type,
            TypeVersion = encoded.TypeVersion,
            Time = LeafEncoding.TimeOf(part.Time),
            Actor = stream.Context.Actor,
            Correlation = stream.Context.Correlation,
            Data = encoded.Data,
            LeafHash = part.Hashes.AsMemory(index * LeafEncoding.HashSize, LeafEncoding.HashSize),
            Original = encoded.Original,
        };
    }
}
