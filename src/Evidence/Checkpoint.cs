using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Verbatim.Evidence;

/// <summary>What a log says of itself at some size, in the format of C2SP tlog-checkpoint: three lines, signed as a note.</summary>
/// <param name="Origin">Which log it is.</param>
/// <param name="Size">The leaves of its tree; the same as the log's last position.</param>
/// <param name="Root">The tree's root hash.</param>
public sealed record Checkpoint(string Origin, long Size, ReadOnlyMemory<byte> Root)
{
    /// <summary>The three lines that are signed.</summary>
    public string ToText() =>
        string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Convert.ToBase64String(Root.Span)}\n");

    /// <summary>Signs it.</summary>
    /// <param name="name">The key's name, which is the origin.</param>
    /// <param name="key">ECDSA on P-256.</param>
    public SignedNote Sign(NoteKey name, ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(key);
        var text = ToText();
        var signature = key.SignData(
            Encoding.UTF8.GetBytes(text),
            HashAlgorithmName.SHA256,
            DSASignatureFormat.Rfc3279DerSequence
        );
        return new SignedNote(text, [new NoteSignature(name.Name, name.Id, signature)]);
    }

    /// <summary>Reads a signed checkpoint and verifies it. Signatures of other keys are passed over.</summary>
    /// <param name="note">The signed note.</param>
    /// <param name="keys">The keys that are trusted.</param>
    /// <param name="checkpoint">What the note says.</param>
    /// <param name="problem">Why it is not believed, for a person.</param>
    public static bool TryOpen(
        string note,
        IReadOnlyCollection<NoteKey> keys,
        [NotNullWhen(true)] out Checkpoint? checkpoint,
        [NotNullWhen(false)] out string? problem
    )
    {
        ArgumentNullException.ThrowIfNull(keys);
        checkpoint = null;
        if (!SignedNote.TryParse(note, out var signed, out problem))
            return false;
        var isSigned = false;
        foreach (var signature in signed.Signatures)
        {
            if (keys.FirstOrDefault(k => k.Made(signature)) is not { } key)
                continue;
            if (!key.Verify(signed.Text, signature))
            {
                problem = $"The signature of the key {key.Name} {Convert.ToHexStringLower(key.Id.Span)} is wrong.";
                return false;
            }
            isSigned = true;
        }
        if (!isSigned)
        {
            var signers = signed.Signatures.Select(s => $"{s.Name} {Convert.ToHexStringLower(s.KeyId.Span)}");
            problem =
                $"The checkpoint is signed by {string.Join(", ", signers)} and by none of the keys that were given.";
            return false;
        }
        return TryParse(signed.Text, out checkpoint, out problem);
    }

    private static bool TryParse(
        string text,
        [NotNullWhen(true)] out Checkpoint? checkpoint,
        [NotNullWhen(false)] out string? problem
    )
    {
        checkpoint = null;
        problem = "The text of the checkpoint is not an origin, a size and a root hash.";
        // Lines behind the third are extensions, which nobody needs to know.
        var lines = text.Split('\n');
        var root = new byte[MerkleTree.HashSize];
        if (
            lines.Length < 4
            || lines[0].Length == 0
            || !long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            || lines[1] != size.ToString(CultureInfo.InvariantCulture)
            || !Convert.TryFromBase64String(lines[2], root, out var length)
            || length != root.Length
        )
            return false;
        problem = null;
        checkpoint = new Checkpoint(lines[0], size, root);
        return true;
    }
}
