using System.Security.Cryptography;
using System.Text;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Retentions;

/// <summary>
/// For how long an organization's model calls are shown, and their bodies can be read at all. One a tenant; the events stay in the log (decision
/// record 0017).
/// </summary>
/// <param name="FullDays">Days for which the bodies are answered and searched; then their keys are destroyed. Null for ever.</param>
/// <param name="MetadataDays">Days for which a call is listed at all; null for ever.</param>
[StreamType("retention", Owner = DocumentOwner.Organization)]
internal sealed record Retention(int? FullDays, int? MetadataDays) : IDocument<Retention>
{
    /// <summary>Where nothing is set.</summary>
    public static readonly Retention ForEver = new(FullDays: null, MetadataDays: null);

    public static Retention Evolve(Retention? current, IEvent @event) =>
        @event switch
        {
            RetentionSet e => new Retention(e.FullDays, e.MetadataDays),
            _ => throw new UnexpectedEventException(typeof(Retention), @event),
        };

    /// <summary>The one of an organization.</summary>
    public static Guid IdOf(Guid tenantId) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"retention:{tenantId:N}")).AsSpan(0, 16));

    /// <summary>An organization's settings as they are now.</summary>
    public static async Task<Retention> LoadAsync(
        DocumentStore store,
        Guid tenantId,
        CancellationToken cancellationToken
    ) =>
        (await store.LoadAsync<Retention>(Access.ToAll(tenantId), IdOf(tenantId), cancellationToken))?.Value ?? ForEver;

    /// <summary>What began before is not listed any more; null for nothing.</summary>
    public DateTimeOffset? ListedFrom(DateTimeOffset now) => Before(now, MetadataDays);

    /// <summary>The bodies of what began before are not shown any more; null for nothing.</summary>
    public DateTimeOffset? FullFrom(DateTimeOffset now) => Before(now, FullDays);

    private static DateTimeOffset? Before(DateTimeOffset now, int? days) =>
        days is { } count ? now.AddDays(-count) : null;
}

/// <summary>An organization decides for how long its calls are shown.</summary>
/// <param name="FullDays">Days for which the bodies are answered and searched; then their keys are destroyed. Null for ever.</param>
/// <param name="MetadataDays">Days for which a call is listed at all; null for ever.</param>
[EventType("gateway.retention-set")]
internal sealed record RetentionSet(int? FullDays, int? MetadataDays) : IEvent;
