using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>The caller has deleted a response: it is no longer answered, nor built upon. What was recorded of its call stays.</summary>
[EventType("gateway.response-deleted")]
internal sealed record ResponseDeleted(string ResponseId) : IEvent;
