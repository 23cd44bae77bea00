using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.ChatClients;

/// <summary>
/// A chat client over the gateway's own path, in this process: what it asks for is a chat completion, the wire with the most words, and goes
/// through routing, translation and recording as a request from outside does.
/// </summary>
internal sealed class GatewayChatClient(
    InferenceCalls calls,
    Catalogue catalogue,
    TimeProvider time,
    InferenceCaller caller
) : IChatClient
{
    private static readonly ChatClientMetadata Metadata = new("verbatim");

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        var call = CollectAsync(Read(messages, options, stream: false), cancellationToken);
        // The record is settled when this returns; unless calls are taken to their end without the one who asked.
        return await (catalogue.DrainsAbandoned ? call.WaitAsync(cancellationToken) : call);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var request = Read(messages, options, stream: true);
        var answer = new StreamedAnswer(cancellationToken);
        var call = AnswerAsync(request, answer);
        try
        {
            await answer.BegunAsync();
            if (!answer.IsStream)
            {
                // A refusal, or a provider that does not stream.
                var body = await answer.ReadAllAsync();
                await call;
                cancellationToken.ThrowIfCancellationRequested();
                answer.ThrowIfFailed(body);
                foreach (
                    var update in WholeAnswer.Read(body, request.Model, answer.InferenceId).ToChatResponseUpdates()
                )
                    yield return update;
                yield break;
            }

            var reader = new AnswerChunks(request.Model, answer.InferenceId);
            await foreach (var data in answer.ReadEventsAsync())
            {
                if (reader.Read(data) is { } update)
                    yield return update;
            }
            await call;
            cancellationToken.ThrowIfCancellationRequested();
            reader.ThrowIfFailed();
            if (reader.End() is { } last)
                yield return last;
        }
        finally
        {
            await answer.LeaveAsync();
            // The record is settled when this returns; unless calls are taken to their end without the one who asked.
            if (!catalogue.DrainsAbandoned)
                await call.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? Metadata
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <inheritdoc/>
    public void Dispose() { }

    private WireRequest Read(IEnumerable<ChatMessage> messages, ChatOptions? options, bool stream)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var body = ChatRequestBody.Write(messages, options, stream);
        if (body.Length > catalogue.MaxRequestBytes)
            throw new ModelCallException(
                413,
                "body_too_large",
                $"The request is larger than {catalogue.MaxRequestBytes} bytes (Gateway:MaxRequestBytes)."
            );
        return CallerWire.ChatCompletions.TryRead(body, out var request, out var error)
            ? request
            : throw CallErrors.Of(error, retryAfter: null, inferenceId: null);
    }

    private async Task<ChatResponse> CollectAsync(WireRequest request, CancellationToken cancellationToken)
    {
        await using var answer = new CollectedAnswer(cancellationToken);
        await RunAsync(request, answer);
        cancellationToken.ThrowIfCancellationRequested();
        answer.ThrowIfFailed();
        return WholeAnswer.Read(answer.Body, request.Model, answer.InferenceId);
    }

    private async Task AnswerAsync(WireRequest request, StreamedAnswer answer)
    {
        try
        {
            await RunAsync(request, answer);
            await answer.EndAsync(failure: null);
        }
        catch (Exception e)
        {
            await answer.EndAsync(e);
            throw;
        }
    }

    private async Task RunAsync(WireRequest request, IAnswerSink answer)
    {
        try
        {
            await calls.AnswerAsync(
                caller,
                CallerWire.ChatCompletions,
                new PreparedCall(request),
                answer,
                headers: null,
                time.GetTimestamp()
            );
        }
        catch (LogUnavailableException e)
        {
            throw new ModelCallException(503, "database_unavailable", "The call cannot be recorded now.", e);
        }
    }
}
