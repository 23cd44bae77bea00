using System.Text;

namespace Verbatim.Platform.PersonalData;

/// <summary>
/// Keyed hashes by which rows are found by a personal value, such as an address, that does not itself stand in the database. Without the
/// key nobody can try values out.
/// </summary>
public sealed class BlindIndex
{
    // A key like a person's, of nobody: made, wrapped and renewed in the same way.
    private static readonly Guid Nobody = Guid.Empty;

    private readonly SubjectKeys _keys;

    internal BlindIndex(SubjectKeys keys) => _keys = keys;

    /// <summary>The hash of a value, 32 bytes; the same for the same value on every instance.</summary>
    /// <param name="purpose">Which index it is for: the same value has another hash in another.</param>
    /// <param name="value">In the form in which values are to be equal.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask<byte[]> HashAsync(string purpose, string value, CancellationToken cancellationToken)
    {
        var key =
            _keys.FindForSealing(Nobody, Nobody)
            ?? (await _keys.EnsureAsync(Nobody, [Nobody], cancellationToken))[Nobody];
        return key.Hash(Encoding.UTF8.GetBytes($"blind-index:{purpose}\0{value}"));
    }
}
