using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Models.Recording;

/// <summary>How much of its calls an organization keeps. One a tenant.</summary>
/// <param name="Default">Of calls that nothing else is said about; null: as the configuration says.</param>
/// <param name="Projects">Of calls with the credentials of a project.</param>
/// <param name="ApiKeys">Of calls with an API key, whatever its project.</param>
[StreamType("recording-policy", Owner = DocumentOwner.Organization)]
internal sealed record RecordingPolicy(
    RecordingLevel? Default,
    IReadOnlyList<RecordingChoice> Projects,
    IReadOnlyList<RecordingChoice> ApiKeys
) : IDocument<RecordingPolicy>
{
    public static RecordingPolicy Evolve(RecordingPolicy? current, IEvent @event) =>
        @event switch
        {
            RecordingPolicySet e => new RecordingPolicy(e.Default, e.Projects, e.ApiKeys),
            _ => throw new UnexpectedEventException(typeof(RecordingPolicy), @event),
        };

    /// <summary>Its stream: a name of its own within the tenant, found without being looked for.</summary>
    public static Guid IdOf(Guid tenantId)
    {
        Span<byte> name = stackalloc byte[16 + 9];
        tenantId.TryWriteBytes(name, bigEndian: true, out _);
        "recording"u8.CopyTo(name[16..]);
        Span<byte> hash = stackalloc byte[32];
        System.Security.Cryptography.SHA256.HashData(name, hash);
        // RFC 9562 §5.8: version 8, made by a rule of one's own.
        hash[6] = (byte)((hash[6] & 0x0f) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}

/// <summary>How much is kept of the calls of one project or API key.</summary>
/// <param name="Id">The project or the key.</param>
/// <param name="Level">How much.</param>
internal sealed record RecordingChoice(Guid Id, RecordingLevel Level);

/// <summary>Calls that come from now on are kept so.</summary>
[EventType("gateway.recording-policy-set")]
internal sealed record RecordingPolicySet(
    RecordingLevel? Default,
    IReadOnlyList<RecordingChoice> Projects,
    IReadOnlyList<RecordingChoice> ApiKeys
) : ISettingChange;
