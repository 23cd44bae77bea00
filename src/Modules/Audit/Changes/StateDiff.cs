using System.Globalization;
using System.Text.Json;

namespace Verbatim.Modules.Audit.Changes;

/// <summary>What became of a value.</summary>
public enum ChangeKind
{
    /// <summary>It is new.</summary>
    Added,

    /// <summary>It is another.</summary>
    Changed,

    /// <summary>It is gone.</summary>
    Removed,
}

/// <summary>One difference between two states.</summary>
/// <param name="Kind">What became of the property.</param>
/// <param name="Place">Where it is.</param>
/// <param name="Before">The value before; undefined for what was added.</param>
/// <param name="After">The value after; undefined for what was removed.</param>
internal sealed record StateChange(ChangeKind Kind, Place Place, JsonElement Before, JsonElement After);

/// <summary>A place in a document, for a person and for a program.</summary>
/// <param name="Path">For instance <c>usage.inputTokens</c> or <c>attempts[1]</c>.</param>
/// <param name="Pointer">A JSON pointer (RFC 6901): <c>/usage/inputTokens</c>, <c>/attempts/1</c>; empty for the whole document.</param>
internal sealed record Place(string Path, string Pointer)
{
    public static readonly Place Whole = new("", "");

    public Place Property(string name) =>
        new(
            Path.Length > 0 ? $"{Path}.{Printable.Line(name)}" : Printable.Line(name),
            $"{Pointer}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}"
        );

    public Place Item(int index) =>
        new(
            string.Create(CultureInfo.InvariantCulture, $"{Path}[{index}]"),
            string.Create(CultureInfo.InvariantCulture, $"{Pointer}/{index}")
        );

    /// <inheritdoc/>
    public override string ToString() => Path.Length > 0 ? Path : "(state)";
}

/// <summary>What an event changed in a document.</summary>
internal static class StateDiff
{
    private const int MaxDepth = 6;

    /// <summary>The differences, in the order of the properties.</summary>
    /// <param name="before">The state before, or null when there was none.</param>
    /// <param name="after">The state after.</param>
    public static IEnumerable<StateChange> Between(JsonElement? before, JsonElement after) =>
        before is { } state ? Compare(Place.Whole, state, after, depth: 0)
        : after.ValueKind == JsonValueKind.Object
            ? after.EnumerateObject().Select(p => Added(Place.Whole.Property(JsonLook.NameOf(p)), p.Value))
        : [Added(Place.Whole, after)];

    private static IEnumerable<StateChange> Compare(Place place, JsonElement before, JsonElement after, int depth)
    {
        if (JsonLook.IsSame(before, after))
            return [];
        return (before.ValueKind, after.ValueKind) switch
        {
            (JsonValueKind.Object, JsonValueKind.Object) when depth < MaxDepth => CompareObjects(
                place,
                before,
                after,
                depth
            ),
            (JsonValueKind.Array, JsonValueKind.Array)
                when depth < MaxDepth && before.GetArrayLength() <= after.GetArrayLength() => CompareArrays(
                place,
                before,
                after,
                depth
            ),
            _ => [new StateChange(ChangeKind.Changed, place, before, after)],
        };
    }

    private static IEnumerable<StateChange> CompareObjects(
        Place place,
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
            var at = place.Property(name);
            kept.Add(name);
            if (!old.TryGetValue(name, out var was))
                yield return Added(at, property.Value);
            else
                foreach (var change in Compare(at, was, property.Value, depth + 1))
                    yield return change;
        }
        foreach (var property in before.EnumerateObject().Where(p => !kept.Contains(JsonLook.NameOf(p))))
            yield return new StateChange(
                ChangeKind.Removed,
                place.Property(JsonLook.NameOf(property)),
                property.Value,
                default
            );
    }

    private static IEnumerable<StateChange> CompareArrays(Place place, JsonElement before, JsonElement after, int depth)
    {
        var old = before.EnumerateArray().ToList();
        var index = 0;
        foreach (var item in after.EnumerateArray())
        {
            var at = place.Item(index);
            if (index >= old.Count)
                yield return Added(at, item);
            else
                foreach (var change in Compare(at, old[index], item, depth + 1))
                    yield return change;
            index++;
        }
    }

    private static StateChange Added(Place place, JsonElement value) => new(ChangeKind.Added, place, default, value);
}
