using System.Security.Cryptography;

namespace Verbatim.Platform.PersonalData;

/// <summary>
/// Seals bytes that say something about a person and stand in a module's own table, beside events and documents, under that person's key: erasing
/// the person makes them unreadable wherever a copy of them is.
/// </summary>
public sealed class PersonalBytes
{
    private readonly SubjectKeys _keys;

    internal PersonalBytes(SubjectKeys keys) => _keys = keys;

    /// <summary>Seals bytes.</summary>
    /// <param name="place">Where they stand; elsewhere they do not open.</param>
    /// <param name="subjectId">The person.</param>
    /// <param name="value">The bytes.</param>
    /// <param name="cancellationToken">Ends the waiting for the key.</param>
    /// <returns>Null when the person was erased: nothing of it may be kept.</returns>
    public async ValueTask<byte[]?> SealAsync(
        PersonalPlace place,
        Guid subjectId,
        ReadOnlyMemory<byte> value,
        CancellationToken cancellationToken
    )
    {
        var key =
            _keys.FindForSealing(place.TenantId, subjectId)
            ?? (await _keys.EnsureAsync(place.TenantId, [subjectId], cancellationToken))[subjectId];
        if (key.IsErased)
            return null;
        var sealedBytes = new byte[SubjectKey.SealedSize(value.Length)];
        key.Seal(value.Span, PlaceOf(place), day: null, isRepeatable: false, sealedBytes);
        return sealedBytes;
    }

    /// <summary>Opens what <see cref="SealAsync"/> made.</summary>
    /// <returns>Null when the person was erased.</returns>
    /// <exception cref="CryptographicException">The bytes were sealed for another place, or were changed.</exception>
    public async ValueTask<byte[]?> OpenAsync(
        PersonalPlace place,
        Guid subjectId,
        ReadOnlyMemory<byte> sealedBytes,
        CancellationToken cancellationToken
    )
    {
        var key = _keys.Find(place.TenantId, subjectId);
        if (key is null)
        {
            var loaded = await _keys.LoadAsync(place.TenantId, [subjectId], cancellationToken);
            key = loaded.GetValueOrDefault(subjectId);
        }
        return key is { IsErased: false } ? key.Open(sealedBytes.ToArray(), PlaceOf(place), day: null).ToArray() : null;
    }

    // A record of an event is a module and a noun with a dash; this has a colon, so that the two never meet.
    private static SealedPlace PlaceOf(in PersonalPlace place) =>
        new(place.TenantId, place.RowId, $"bytes:{place.Table}", place.Part);
}

/// <summary>Where bytes of a person stand in a module's table.</summary>
/// <param name="TenantId">The organization.</param>
/// <param name="RowId">What the row belongs to.</param>
/// <param name="Table">The qualified name of the table; at most 100 characters.</param>
/// <param name="Part">Which of several, or the column; at most 100 characters.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
public readonly record struct PersonalPlace(Guid TenantId, Guid RowId, string Table, string Part);
