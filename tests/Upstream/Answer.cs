namespace Verbatim.Tests.Upstream;

/// <summary>The body of an answer before it is stamped and sent: one part for JSON, one per event for a stream.</summary>
internal sealed record Answer(int Status, string ContentType, Part[] Parts, bool IsStream)
{
    public int Length { get; } = Parts.Sum(static part => part.Bytes.Length);

    /// <summary>A header with the id of the answer, where the provider always sends one.</summary>
    public StampedHeader? Stamped { get; init; }

    public static Answer Of(int status, string contentType, byte[] body) =>
        // These three never carry a body (RFC 9110, 15.3.5, 15.3.6, 15.4.5).
        new(status, contentType, status is 204 or 205 or 304 ? [] : [Part.Of(body)], IsStream: false);

    /// <summary>One JSON whose ids and times are filled in when it is sent.</summary>
    public static Answer Json(int status, string contentType, byte[] body) =>
        new(status, contentType, status is 204 or 205 or 304 ? [] : [Part.Stamped(body)], IsStream: false);
}

/// <summary>A header whose value ends with the id of the answer, in so many characters.</summary>
internal sealed record StampedHeader(string Name, string Prefix, int IdLength)
{
    public string ValueOf(Stamp stamp) => Prefix + stamp.Id(IdLength);
}

/// <summary>Reads and keeps for sending what differs on every call: ids and times.</summary>
internal readonly record struct Part(byte[] Bytes, Place[] Places)
{
    /// <summary>Bytes that are sent as they are.</summary>
    public static Part Of(byte[] bytes) => new(bytes, []);

    /// <summary>Finds the placeholders of ids and times.</summary>
    public static Part Stamped(byte[] bytes) => new(bytes, Placeholder.Find(bytes));

    /// <summary>Copies the part and writes the stamp over its places.</summary>
    public void CopyTo(Span<byte> destination, Stamp stamp)
    {
        Bytes.CopyTo(destination);
        foreach (var place in Places)
        {
            if (place.IsTime)
                stamp.WriteCreated(destination[place.At..]);
            else
                stamp.WriteId(destination.Slice(place.At, place.Length));
        }
    }
}

/// <summary>Where an id or a time stands in the bytes of a part.</summary>
internal readonly record struct Place(int At, int Length, bool IsTime);
