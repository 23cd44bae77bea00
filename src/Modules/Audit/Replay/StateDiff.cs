using System.Globalization;
using System.Text.Json;

namespace Verbatim.Modules.Audit.Replay;

internal enum ChangeKind
{
    Added,
    Changed,
    Removed,
}

/// <summary>One difference between two states.</summary>
/// <param name="Kind">What became of the property.</param>
/// <param name="Path">Where it is, for instance <c>usage.inputTokens</c> or <c>attempts[1]</c>.</param>
/// <param name="Before">The value before; undefined for what was added.</param>
/// <param name="After">The value after; undefined for what was removed.</param>
internal sealed record StateChange(ChangeKind Kind, string Path, JsonElement Before, JsonElement After);

/// <summary>What an event changed in a document.</summary>
internal static class StateDiff
{
    private const int MaxDepth = 6;

    /// <summary>The differences, in the order of the properties.</summary>
    /// <param name="before">The state before, or null when there was none.</param>
    /// <param name="after">The state after.</param>
    public static IEnumerable<StateChange> Between(JsonElement? before, JsonElement after) =>
        before is { } state ? Compare("", state, after, depth: 0)
        : after.ValueKind == JsonValueKind.Object ? after.EnumerateObject().Select(p => Added(NameOf(p), p.Value))
        : [Added("(state)", after)];

    private static IEnumerable<StateChange> Compare(string path, JsonElement before, JsonElement after, int depth)
    {
        if (JsonLook.IsSame(before, after))
            return [];
        return (before.ValueKind, after.ValueKind) switch
        {
            (JsonValueKind.Object, JsonValueKind.Object) when depth < MaxDepth => CompareObjects(
                path,
                before,
                after,
                depth
            ),
            (JsonValueKind.Array, JsonValueKind.Array)
                when depth < MaxDepth && before.GetArrayLength() <= after.GetArrayLength() => CompareArrays(
                path,
                before,
                after,
                depth
            ),
            _ => [new StateChange(ChangeKind.Changed, path.Length > 0 ? path : "(state)", before, after)],
        };
    }

    private static IEnumerable<StateChange> CompareObjects(
        string path,
        JsonElement before,
        JsonElement after,
        int depth
    )
    {
        // Our own documents repeat no name; should a recorded body do so, the last one counts, as it does for its reader.
        var old = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var property in before.EnumerateObject())
            old[JsonLook.NameOf(property)] = property.Value;

        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in after.EnumerateObject())
        {
            var name = JsonLook.NameOf(property);
            var at = Join(path, NameOf(property));
            kept.Add(name);
            if (!old.TryGetValue(name, out var was))
                yield return Added(at, property.Value);
            else
                foreach (var change in Compare(at, was, property.Value, depth + 1))
                    yield return change;
        }
        foreach (var property in before.EnumerateObject().Where(p => !kept.Contains(JsonLook.NameOf(p))))
            yield return new StateChange(ChangeKind.Removed, Join(path, NameOf(property)), property.Value, default);
    }

    private static IEnumerable<StateChange> CompareArrays(string path, JsonElement before, JsonElement after, int depth)
    {
        var old = before.EnumerateArray().ToList();
        var index = 0;
        foreach (var item in after.EnumerateArray())
        {
            var at = string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]");
            if (index >= old.Count)
                yield return Added(at, item);
            else
                foreach (var change in Compare(at, old[index], item, depth + 1))
                    yield return change;
            index++;
        }
    }

    private static StateChange Added(string path, JsonElement value) => new(ChangeKind.Added, path, default, value);

    private static string NameOf(JsonProperty property) => Printable.Line(JsonLook.NameOf(property));

    private static string Join(string path, string name) => path.Length > 0 ? $"{path}.{name}" : name;
}
