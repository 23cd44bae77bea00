namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// Which of the installation's keys sign and verify at a moment. A key signs from its time until the next one's, and verifies
/// from the start until <see cref="Overlap"/> after that.
/// </summary>
internal sealed class KeySchedule
{
    /// <summary>Longer than any token lives, clock skew included.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromMinutes(30);

    private readonly Slot[] _keys;

    /// <summary>Makes the schedule of at least one key.</summary>
    public KeySchedule(IEnumerable<Slot> keys) =>
        _keys = [.. keys.OrderBy(k => k.SignsFrom).ThenBy(k => k.Key.KeyId, StringComparer.Ordinal)];

    /// <summary>A key and when it begins to sign.</summary>
    public sealed record Slot(SigningKey Key, DateTimeOffset SignsFrom);

    /// <summary>The keys at a moment, and until when that is so.</summary>
    /// <param name="Current">The key that signs.</param>
    /// <param name="Public">The keys that verify, in the order in which they sign.</param>
    /// <param name="Until">The moment at which another set takes its place.</param>
    public sealed record Moment(SigningKey Current, JsonWebKeySet Public, DateTimeOffset Until);

    public Moment At(DateTimeOffset now)
    {
        var current = 0;
        var until = DateTimeOffset.MaxValue;
        var verifying = new List<JsonWebKey>(_keys.Length);
        for (var i = 0; i < _keys.Length; i++)
        {
            if (_keys[i].SignsFrom <= now)
                current = i;
            else
                until = Min(until, _keys[i].SignsFrom);
            var ends = EndOf(i);
            if (ends <= now)
                continue;
            verifying.Add(_keys[i].Key.PublicKey);
            until = Min(until, ends);
        }
        return new Moment(_keys[current].Key, new JsonWebKeySet(verifying), until);
    }

    private DateTimeOffset EndOf(int index) =>
        index + 1 == _keys.Length ? DateTimeOffset.MaxValue : _keys[index + 1].SignsFrom + Overlap;

    private static DateTimeOffset Min(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;
}
