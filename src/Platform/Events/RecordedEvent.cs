using Verbatim.Evidence;

namespace Verbatim.Platform.Events;

/// <summary>An event as it stands in the log, with its exact bytes.</summary>
public sealed class RecordedEvent
{
    /// <summary>Its place in the log of all events: 1, 2, 3 … without gaps, in the order of commits.</summary>
    public required long Position { get; init; }

    /// <summary>The organization that it belongs to.</summary>
    public required Guid TenantId { get; init; }

    /// <summary>The stream that it belongs to (a UUIDv7 as a rule).</summary>
    public required Guid StreamId { get; init; }

    /// <summary>The stored name of the stream's type, for instance <c>inference</c>.</summary>
    public required string StreamType { get; init; }

    /// <summary>Its place in the stream: 1 for the first.</summary>
    public required long Version { get; init; }

    /// <summary>The stored name of the event, for instance <c>gateway.inference-started</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The version of the shape in which it was stored.</summary>
    public required int TypeVersion { get; init; }

    /// <summary>When it was recorded (UTC, microseconds). Never falls from one position to the next.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Who caused it: <c>user:&lt;uuid&gt;</c>, <c>api-key:&lt;uuid&gt;</c> or <c>system:&lt;name&gt;</c>.</summary>
    public required string Actor { get; init; }

    /// <summary>The request that it was recorded for (<c>x-request-id</c>), empty if there was none.</summary>
    public required string Correlation { get; init; }

    /// <summary>The event's JSON, the very bytes that were hashed.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>The RFC 6962 leaf hash, SHA-256 over 0x00 and the canonical encoding (see <see cref="LeafEncoding"/>).</summary>
    public required ReadOnlyMemory<byte> LeafHash { get; init; }

    /// <summary>The event itself, where this instance has only just appended it.</summary>
    internal OriginalEvent? Original { get; init; }

    /// <summary>All but the data, as it is hashed.</summary>
    public LeafHeader Header =>
        new(
            Position,
            TenantId,
            StreamId,
            StreamType,
            Version,
            Type,
            TypeVersion,
            LeafEncoding.Microseconds(Time),
            Actor,
            Correlation
        );

    /// <summary>Makes the leaf hash again, from everything else; <see cref="LeafHash"/> is not looked at.</summary>
    public byte[] HashLeaf()
    {
        byte[] scratch = [];
        var hash = new byte[LeafEncoding.HashSize];
        LeafEncoding.Hash(ref scratch, Header, Data.Span, hash);
        return hash;
    }
}
