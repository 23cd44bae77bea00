using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Labels;

/// <summary>A word that calls are filed under: a call whose <c>x-client-request-id</c> is <c>billing:42</c> goes to <c>billing</c>.</summary>
[StreamType("label", Owner = DocumentOwner.Organization)]
internal sealed record Label(string Name, string? Description) : IDocument<Label>
{
    public static Label Evolve(Label? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, LabelCreated e) => new Label(e.Name, Description: null),
            ({ } label, LabelDescribed e) => label with { Description = e.Description },
            _ => throw new UnexpectedEventException(typeof(Label), @event),
        };
}

[EventType("gateway.label-created")]
internal sealed record LabelCreated(string Name) : IEvent;

[EventType("gateway.label-described")]
internal sealed record LabelDescribed(string Description) : IEvent;
