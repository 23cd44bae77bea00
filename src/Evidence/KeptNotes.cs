namespace Verbatim.Evidence;

/// <summary>Checkpoints that an auditor kept outside, as they came: one note behind the other.</summary>
public static class KeptNotes
{
    private const string SignaturePrefix = "— ";

    /// <summary>The notes of a text. Nothing is verified; what is behind the last signature comes as a note of its own.</summary>
    public static IReadOnlyList<string> Split(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var notes = new List<string>();
        var start = 0;
        var (isBehindEmptyLine, isSigned) = (false, false);
        for (var at = 0; at < text.Length; )
        {
            var feed = text.IndexOf('\n', at);
            var end = feed < 0 ? text.Length : feed + 1;
            var line = text.AsSpan(at, end - at).TrimEnd('\n');
            if (line.StartsWith(SignaturePrefix, StringComparison.Ordinal))
            {
                isSigned |= isBehindEmptyLine;
            }
            else
            {
                if (isSigned)
                    Take(at);
                // Empty lines between two notes.
                if (line.IsEmpty && start == at)
                    start = end;
                isBehindEmptyLine = line.IsEmpty;
            }
            at = end;
        }
        if (start < text.Length)
            Take(text.Length);
        return notes;

        void Take(int end)
        {
            notes.Add(text[start..end]);
            start = end;
            (isBehindEmptyLine, isSigned) = (false, false);
        }
    }

    /// <summary>Verifies notes and puts their checkpoints together by size.</summary>
    /// <param name="notes">Signed notes.</param>
    /// <param name="keys">The keys that are trusted.</param>
    /// <param name="checkpoints">Where they go.</param>
    /// <returns>What is wrong; null when all are sound.</returns>
    public static string? Open(
        IEnumerable<string> notes,
        IReadOnlyCollection<NoteKey> keys,
        IDictionary<long, Checkpoint> checkpoints
    )
    {
        ArgumentNullException.ThrowIfNull(notes);
        ArgumentNullException.ThrowIfNull(checkpoints);
        foreach (var note in notes)
        {
            if (!Checkpoint.TryOpen(note, keys, out var checkpoint, out var why))
                return $"The kept checkpoint is not valid: {why}";
            if (
                checkpoints.TryGetValue(checkpoint.Size, out var other)
                && !other.Root.Span.SequenceEqual(checkpoint.Root.Span)
            )
                return $"Two kept checkpoints of size {checkpoint.Size} contradict each other.";
            checkpoints[checkpoint.Size] = checkpoint;
        }
        return null;
    }
}
