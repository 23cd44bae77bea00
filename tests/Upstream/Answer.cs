namespace Verbatim.Tests.Upstream;

/// <summary>The body of an answer before it is stamped and sent: one part for JSON, one per event for a stream.</summary>
internal sealed record Answer(int Status, string ContentType, Part[] Parts, bool IsStream)
{
    public int Length { get; } = Parts.Sum(static part => part.Bytes.Length);

    public static Answer Of(int status, string contentType, byte[] body) =>
        // These three never carry a body (RFC 9110, 15.3.5, 15.3.6, 15.4.5).
        new(status, contentType, status is 204 or 205 or 304 ? [] : [new Part(body)], IsStream: false);
}

/// <summary>
/// Bytes that leave together, with the places of the id and the creation time of the answer, which differ on every
/// call. Negative places are absent.
/// </summary>
internal readonly record struct Part(byte[] Bytes, int IdAt = -1, int IdLength = 0, int CreatedAt = -1)
{
    /// <summary>Copies the part and writes the stamp over its places.</summary>
    public void CopyTo(Span<byte> destination, Stamp stamp)
    {
        Bytes.CopyTo(destination);
        if (IdAt >= 0)
            stamp.WriteId(destination.Slice(IdAt, IdLength));
        if (CreatedAt >= 0)
            stamp.WriteCreated(destination[CreatedAt..]);
    }
}
