using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Verbatim.Modules.Audit.Streams;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Changes;

/// <summary>Tells a stream event by event, and what each made of its document.</summary>
[Singleton]
internal sealed class StateSteps(StreamHistory streams, DocumentCatalog documents, EventReader reader)
{
    /// <summary>Streams of this type add up to a document.</summary>
    public bool HasDocument(string streamType) => documents.Find(streamType) is not null;

    /// <summary>
    /// The steps of a part of a stream. What came before is added up too, but not told. A state that misses an event is no state: from an
    /// event on that cannot be added up there is none any more, and each step has the fault; the events go on.
    /// </summary>
    public async IAsyncEnumerable<StateStep> ReadAsync(
        Guid tenantId,
        Guid streamId,
        string streamType,
        long fromVersion,
        long toVersion,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var fold = HasDocument(streamType) ? new StateFold(documents, streamType, reader) : null;
        RawJson? before = null;
        StateFault? fault = null;
        await foreach (var recorded in streams.ReadAsync(tenantId, streamId, 1, toVersion, cancellationToken))
        {
            if (fold is not null && fault is null)
                fault = await TryAddAsync(fold, recorded, cancellationToken);
            var hasState = fold is not null && fault is null;
            if (recorded.Version < fromVersion - 1)
                continue;
            RawJson? after = hasState ? fold!.Json() : null;
            if (recorded.Version >= fromVersion)
            {
                var opened = await reader.OpenAsync(recorded, cancellationToken);
                yield return new StateStep(
                    recorded,
                    recorded.LeafHash.Span.SequenceEqual(recorded.HashLeaf()),
                    before,
                    after,
                    hasState ? fold!.State : null,
                    fault
                )
                {
                    Opened = opened.Equals(recorded.Data) ? null : new RawJson(opened),
                };
            }
            before = after;
        }
    }

    private static async ValueTask<StateFault?> TryAddAsync(
        StateFold fold,
        RecordedEvent recorded,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await fold.AddAsync(recorded, cancellationToken);
            return null;
        }
        catch (UnknownEventException e)
        {
            return new StateFault(recorded, IsUnknown: true, e.Message);
        }
        catch (UnexpectedEventException e)
        {
            return new StateFault(recorded, IsUnknown: false, e.Message);
        }
        catch (JsonException)
        {
            return new StateFault(
                recorded,
                IsUnknown: false,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The data of event {recorded.Version} does not fit the shape of its type."
                )
            );
        }
    }
}

/// <summary>Why there is no state from an event on.</summary>
/// <param name="Event">The event.</param>
/// <param name="IsUnknown">This build does not know its type; otherwise the event does not fit.</param>
/// <param name="Message">For a person.</param>
internal sealed record StateFault(RecordedEvent Event, bool IsUnknown, string Message);
