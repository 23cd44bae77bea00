using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Verbatim.Evidence;

/// <summary>
/// A text with signatures below it, in the format of C2SP signed-note: the text, an empty line, and a line for each signature,
/// <c>— name base64(key id || signature)</c>.
/// </summary>
/// <param name="Text">What is signed; ends with a line feed.</param>
/// <param name="Signatures">At least one.</param>
public sealed record SignedNote(string Text, IReadOnlyList<NoteSignature> Signatures)
{
    private const int MaxLength = 64 * 1024;
    private const int MaxSignatures = 16;
    private const string SignaturePrefix = "— ";

    /// <summary>The note as it is written.</summary>
    public override string ToString()
    {
        var note = new StringBuilder(Text).Append('\n');
        foreach (var signature in Signatures)
        {
            byte[] bytes = [.. signature.KeyId.Span, .. signature.Signature.Span];
            note.Append(SignaturePrefix)
                .Append(signature.Name)
                .Append(' ')
                .Append(Convert.ToBase64String(bytes))
                .Append('\n');
        }
        return note.ToString();
    }

    /// <summary>Reads a note. Nothing is verified yet.</summary>
    /// <param name="note">The whole of it.</param>
    /// <param name="read">The note.</param>
    /// <param name="problem">What is wrong with it, for a person.</param>
    public static bool TryParse(
        string note,
        [NotNullWhen(true)] out SignedNote? read,
        [NotNullWhen(false)] out string? problem
    )
    {
        ArgumentNullException.ThrowIfNull(note);
        read = null;
        problem = null;
        if (note.Length > MaxLength)
            problem = "The note is too long.";
        else if (note.Any(c => c < ' ' && c != '\n'))
            problem = "The note has control characters in it.";
        else if (
            note.LastIndexOf("\n\n", StringComparison.Ordinal) is var end
            && (end <= 0 || end + 2 >= note.Length || !note.EndsWith('\n'))
        )
            problem = "The note has no signatures: they follow its last empty line.";
        else if (ReadSignatures(note[(end + 2)..^1], out problem) is { } signatures)
            read = new SignedNote(note[..(end + 1)], signatures);
        // Base64 can say the same in several ways; a note is one text.
        if (read is not null && read.ToString() != note)
            (read, problem) = (null, "The note is not written as notes are.");
        return read is not null;
    }

    private static List<NoteSignature>? ReadSignatures(string lines, out string? problem)
    {
        problem = "A line of signatures is not '— name base64'.";
        var signatures = new List<NoteSignature>();
        foreach (var line in lines.Split('\n'))
        {
            if (!line.StartsWith(SignaturePrefix, StringComparison.Ordinal))
                return null;
            var parts = line[SignaturePrefix.Length..].Split(' ');
            var bytes = new byte[line.Length];
            if (
                parts.Length != 2
                || !NoteKey.IsName(parts[0])
                || !Convert.TryFromBase64String(parts[1], bytes, out var length)
                || length <= NoteKey.IdSize
            )
                return null;
            signatures.Add(
                new NoteSignature(parts[0], bytes.AsMemory(0, NoteKey.IdSize), bytes.AsMemory(NoteKey.IdSize..length))
            );
        }
        if (signatures.Count > MaxSignatures)
        {
            problem = "The note has too many signatures.";
            return null;
        }
        problem = null;
        return signatures;
    }
}

/// <summary>A line below a note.</summary>
/// <param name="Name">The key's name.</param>
/// <param name="KeyId">Four bytes; with the name they tell which key signed.</param>
/// <param name="Signature">For ECDSA, an ASN.1 DER signature over SHA-256 of the text.</param>
public sealed record NoteSignature(string Name, ReadOnlyMemory<byte> KeyId, ReadOnlyMemory<byte> Signature);
