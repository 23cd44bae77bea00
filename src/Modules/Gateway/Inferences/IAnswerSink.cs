using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>Where an answer goes: an HTTP response, or a caller in this process.</summary>
internal interface IAnswerSink
{
    /// <summary>The caller has gone.</summary>
    CancellationToken Aborted { get; }

    /// <summary>The answer's headers, until it has begun.</summary>
    IHeaderDictionary Headers { get; }

    /// <summary>Takes the answer's bytes.</summary>
    PipeWriter Writer { get; }

    /// <summary>Says what comes. The first bytes may leave from now on.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="contentType">The content type.</param>
    /// <param name="length">How many bytes will come; null for a stream.</param>
    void Begin(int status, string contentType, long? length);

    /// <summary>Breaks the answer off so that nobody takes its end for one: what was sent is not all of it.</summary>
    void Abort();

    /// <summary>Answers with an error. Nothing has begun.</summary>
    Task FailAsync(WireError error);
}
