namespace Verbatim.Tests.Upstream.Delivery;

/// <summary>Where an answer is written to.</summary>
internal interface IOutput
{
    /// <summary>Sends the status and the headers; without <paramref name="flush"/> they may wait for the first bytes.</summary>
    Task StartAsync(AnswerHead head, bool flush, CancellationToken cancellationToken);

    /// <summary>Writes bytes of the body, at least one, and hands them to the kernel.</summary>
    Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Ends the message as HTTP asks.</summary>
    Task CompleteAsync(CancellationToken cancellationToken);
}

/// <summary>The status and headers of an answer. Without a length the body is chunked.</summary>
internal sealed record AnswerHead(int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, long? Length)
{
    /// <summary>A body that the status forbids is not even announced.</summary>
    public bool HasBody => Status is not (204 or 205 or 304);
}
