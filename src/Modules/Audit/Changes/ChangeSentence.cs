using System.Globalization;
using System.Text.Json;

namespace Verbatim.Modules.Audit.Changes;

/// <summary>Says in words what an event changed, a line each: <c>role: user → admin</c>.</summary>
internal static class ChangeSentence
{
    private const int MaxSentences = 100;
    private const int MaxValue = 120;

    /// <summary>What a step changed. Long values are cut, and of very many changes the first are told.</summary>
    public static IReadOnlyList<string> Of(StateStep step)
    {
        if (step.After is not { } now)
            return [];
        using var after = JsonDocument.Parse(now.Utf8, JsonLook.Options);
        using var before = step.Before is { } was ? JsonDocument.Parse(was.Utf8, JsonLook.Options) : null;
        var words = step.State is { } state
            ? StateWords.Of(state).ToDictionary(w => w.Name, w => w.Description, StringComparer.Ordinal)
            : [];
        var changes = StateDiff.Between(before?.RootElement, after.RootElement).ToList();
        var sentences = changes.Take(MaxSentences).Select(change => Of(change, words)).ToList();
        if (changes.Count > MaxSentences)
            sentences.Add(
                string.Create(CultureInfo.InvariantCulture, $"… and {changes.Count - MaxSentences} more changes")
            );
        return sentences;
    }

    private static string Of(StateChange change, Dictionary<string, string> words)
    {
        var sentence = change.Kind switch
        {
            ChangeKind.Added => $"{change.Place}: {ValueOf(change.After)} (new)",
            ChangeKind.Changed => $"{change.Place}: {ValueOf(change.Before)} → {ValueOf(change.After)}",
            ChangeKind.Removed => $"{change.Place}: {ValueOf(change.Before)} (removed)",
            _ => throw new ArgumentOutOfRangeException(nameof(change), change.Kind, "Not a kind of change."),
        };
        // What a document says of its own states, as the status of a call does.
        return words.TryGetValue(change.Place.Path, out var description) ? $"{sentence}. {description}" : sentence;
    }

    // A plain word stands as it is; whatever could pass for something else stands in quotes, and what is not to be seen is written out.
    private static string ValueOf(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
            return JsonLook.Compact(value, MaxValue);
        var text = JsonLook.TextOf(value);
        return Printable.Cut(IsWord(text) ? text : Printable.Quoted(text), MaxValue);
    }

    private static bool IsWord(string text) =>
        text is not ("true" or "false" or "null" or "")
        && char.IsAsciiLetter(text[0])
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '@' or '/');
}
