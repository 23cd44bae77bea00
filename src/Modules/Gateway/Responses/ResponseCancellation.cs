using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>The decision to cancel a response that is made in the background. The record of its call tells what it came to.</summary>
[StreamType("response-cancellation", Owner = nameof(UserId), Snapshot = SnapshotKind.Folded)]
internal sealed record ResponseCancellation(string ResponseId, Guid InferenceId, Guid UserId)
    : IDocument<ResponseCancellation>
{
    public static ResponseCancellation Evolve(ResponseCancellation? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, ResponseCancellationRequested e) => new ResponseCancellation(e.ResponseId, e.InferenceId, e.UserId),
            _ => throw new UnexpectedEventException(typeof(ResponseCancellation), @event),
        };
}

/// <summary>A caller wants a response that is made in the background to stop. It holds if the call had no outcome by then.</summary>
/// <param name="ResponseId">The response.</param>
/// <param name="InferenceId">Its call, which the instance that runs it ends.</param>
/// <param name="UserId">Whose response it is.</param>
[EventType("gateway.response-cancellation-requested")]
internal sealed record ResponseCancellationRequested(string ResponseId, Guid InferenceId, Guid UserId) : IEvent;
