using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Verbatim.Evidence;

/// <summary>
/// The public key of a log, ECDSA on P-256. Its id is the first four bytes of SHA-256 over the DER SubjectPublicKeyInfo (C2SP signed-note,
/// signature type 0x02). As a text: <c>name+hex(id)+base64(0x02 || SubjectPublicKeyInfo)</c>.
/// </summary>
public sealed class NoteKey
{
    /// <summary>The size of a key's id in bytes.</summary>
    public const int IdSize = 4;

    private const byte Ecdsa = 0x02;
    private const string P256 = "1.2.840.10045.3.1.7";

    private readonly byte[] _subjectPublicKeyInfo;

    private NoteKey(string name, byte[] subjectPublicKeyInfo)
    {
        Name = name;
        _subjectPublicKeyInfo = subjectPublicKeyInfo;
        Id = SHA256.HashData(subjectPublicKeyInfo).AsMemory(0, IdSize);
    }

    /// <summary>The name; for a log, its origin.</summary>
    public string Name { get; }

    /// <summary>Four bytes.</summary>
    public ReadOnlyMemory<byte> Id { get; }

    /// <summary>The key of a log.</summary>
    /// <param name="name">Neither empty, nor with white space or a plus sign in it.</param>
    /// <param name="subjectPublicKeyInfo">The public key in DER.</param>
    /// <exception cref="ArgumentException">The name is not valid.</exception>
    /// <exception cref="CryptographicException">It is not a P-256 key.</exception>
    public static NoteKey Create(string name, ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        if (!IsName(name))
            throw new ArgumentException(
                "A key's name is not empty and has neither white space nor '+' in it.",
                nameof(name)
            );
        using var key = Import(subjectPublicKeyInfo);
        return new NoteKey(name, subjectPublicKeyInfo.ToArray());
    }

    /// <summary>Reads a key from its text.</summary>
    /// <param name="text"><c>name+hex(id)+base64(0x02 || SubjectPublicKeyInfo)</c>.</param>
    /// <param name="key">The key.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out NoteKey? key)
    {
        ArgumentNullException.ThrowIfNull(text);
        key = null;
        // The base64 may have a plus sign in it, the two before it have none.
        var parts = text.Trim().Split('+', 3);
        var bytes = new byte[text.Length];
        if (
            parts.Length != 3
            || !IsName(parts[0])
            || !Convert.TryFromBase64String(parts[2], bytes, out var length)
            || length < 2
            || bytes[0] != Ecdsa
        )
            return false;
        try
        {
            var read = Create(parts[0], bytes.AsSpan(1, length - 1));
            if (!Convert.ToHexStringLower(read.Id.Span).Equals(parts[1], StringComparison.OrdinalIgnoreCase))
                return false;
            key = read;
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>Whether a signature claims to be of this key.</summary>
    public bool Made(NoteSignature signature)
    {
        ArgumentNullException.ThrowIfNull(signature);
        return signature.Name == Name && signature.KeyId.Span.SequenceEqual(Id.Span);
    }

    /// <summary>Checks a signature over a note's text.</summary>
    public bool Verify(string text, NoteSignature signature)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(signature);
        using var key = Import(_subjectPublicKeyInfo);
        return key.VerifyData(
            Encoding.UTF8.GetBytes(text),
            signature.Signature.Span,
            HashAlgorithmName.SHA256,
            DSASignatureFormat.Rfc3279DerSequence
        );
    }

    /// <summary>The key as a text, for whoever verifies.</summary>
    public override string ToString()
    {
        byte[] typed = [Ecdsa, .. _subjectPublicKeyInfo];
        return $"{Name}+{Convert.ToHexStringLower(Id.Span)}+{Convert.ToBase64String(typed)}";
    }

    /// <summary>Whether a text may be the name of a key: not empty, without white space or plus signs.</summary>
    public static bool IsName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length > 0 && !name.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c == '+');
    }

    private static ECDsa Import(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out var read);
            if (read != subjectPublicKeyInfo.Length || key.ExportParameters(false).Curve.Oid.Value != P256)
                throw new CryptographicException("The key is not an ECDSA key on P-256.");
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}
