using System.Collections;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http.OpenApi;

namespace Verbatim.Tests.Unit.Events;

/// <summary>Writes docs/events.md: every event of the product as its declaration has it.</summary>
internal sealed class EventPage(EventCatalog catalog)
{
    private static readonly Dictionary<Type, string> Words = new()
    {
        [typeof(string)] = "text",
        [typeof(bool)] = "true or false",
        [typeof(int)] = "whole number",
        [typeof(long)] = "whole number",
        [typeof(double)] = "number",
        [typeof(decimal)] = "number",
        [typeof(Guid)] = "id",
        [typeof(DateTimeOffset)] = "time",
        [typeof(DateOnly)] = "date",
        [typeof(DateTime)] = "time",
        [typeof(TimeSpan)] = "duration",
        [typeof(RawJson)] = "JSON, byte by byte as it came",
    };

    private readonly XmlComments _comments = new();
    private readonly NullabilityInfoContext _nullability = new();
    private readonly StringBuilder _page = new();

    public string Write()
    {
        _page.Append(
            """
            # Events

            Every event that Verbatim stores, by module: its stored name, the versions of its shape, and the fields of its `data`. This page is
            written from the code: `UPDATE_SNAPSHOTS=1 dotnet run --project tests/Unit -- -class '*.EventCatalogueTests'`; a test compares them.

            Stored events keep the shape that they were written in. When one is read, an old shape becomes the newest by pure steps. Fields that are
            marked *personal* are sealed under a key of the person before they are hashed, and cannot be read once it is destroyed. Ids are UUIDs,
            times RFC 3339 in UTC. A field that may be missing is left out where it has no value.


            """
        );
        foreach (var module in catalog.Shapes.GroupBy(s => s.Name.Split('.')[0], StringComparer.Ordinal))
        {
            Line($"## {module.Key}");
            Line();
            foreach (var versions in module.GroupBy(s => s.Name, StringComparer.Ordinal))
            {
                Line($"### {versions.Key}");
                Line();
                foreach (var shape in versions.OrderByDescending(s => s.Version))
                    Write(shape);
            }
        }
        return _page.ToString().TrimEnd() + "\n";
    }

    private void Write(EventShape shape)
    {
        Line(shape.IsNewest ? $"Version {shape.Version}." : $"Version {shape.Version}, no longer written.");
        if (_comments.Of(shape.ClrType) is { Length: > 0 } summary)
            Line(summary);
        Line();
        Fields(shape.Json, "");
    }

    // Fields of records within are shown behind a dot, of lists behind [].
    private void Fields(JsonTypeInfo type, string prefix)
    {
        var rows = Rows(type, prefix, depth: 0).ToList();
        if (rows.Count == 0)
        {
            Line("No fields.");
            Line();
            return;
        }
        Line("| field | is | |");
        Line("|---|---|---|");
        foreach (var row in rows)
            Line(row);
        Line();
    }

    private IEnumerable<string> Rows(JsonTypeInfo type, string prefix, int depth)
    {
        foreach (var property in type.Properties)
        {
            var clr = type
                .Type.GetProperties()
                .FirstOrDefault(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name) == property.Name);
            if (clr is null)
                throw new InvalidOperationException(
                    $"{type.Type} has no property for its JSON field '{property.Name}'."
                );
            var name = prefix + property.Name;
            var (word, inner, suffix) = Describe(property.PropertyType);
            var notes = new List<string>();
            if (clr.GetCustomAttribute<PersonalAttribute>() is { } personal)
                notes.Add($"*Personal*, of {SubjectOf(personal)}{(personal.ByDay ? ", ends with its day" : "")}.");
            if (_comments.Of(clr) is { Length: > 0 } comment)
                notes.Add(comment);
            yield return $"| `{name}` | {word}{(MayBeMissing(clr) ? ", may be missing" : "")} | {string.Join(' ', notes).Replace("|", "\\|", StringComparison.Ordinal)} |";
            if (inner is not null && depth < 4)
                foreach (var row in Rows(catalog.Json.GetTypeInfo(inner), $"{name}{suffix}.", depth + 1))
                    yield return row;
        }
    }

    private static (string Word, Type? Inner, string Suffix) Describe(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (Words.TryGetValue(type, out var word))
            return (word, null, "");
        if (type.IsEnum)
            return (
                string.Join(" or ", Enum.GetNames(type).Select(n => $"`{JsonNamingPolicy.CamelCase.ConvertName(n)}`")),
                null,
                ""
            );
        if (ItemOf(type, typeof(IReadOnlyDictionary<,>), 1) is { } value)
        {
            var (of, inner, suffix) = Describe(value);
            return ($"object, each value {of}", inner, $".*{suffix}");
        }
        if (type != typeof(string) && type.IsAssignableTo(typeof(IEnumerable)))
        {
            var item = ItemOf(type, typeof(IEnumerable<>), 0) ?? typeof(object);
            var (of, inner, suffix) = Describe(item);
            return ($"list, each {of}", inner, $"[]{suffix}");
        }
        return ("object", type, "");
    }

    private static Type? ItemOf(Type type, Type definition, int argument) =>
        type.GetInterfaces()
            .Append(type)
            .FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == definition)
            ?.GetGenericArguments()[argument];

    private bool MayBeMissing(PropertyInfo property) =>
        Nullable.GetUnderlyingType(property.PropertyType) is not null
        || (!property.PropertyType.IsValueType && _nullability.Create(property).ReadState == NullabilityState.Nullable);

    private static string SubjectOf(PersonalAttribute personal) =>
        personal.OfStream ? "whom the stream is about"
        : personal.Of is { } property ? $"`{JsonNamingPolicy.CamelCase.ConvertName(property)}`"
        : "who acts";

    private void Line(string text = "") => _page.Append(text).Append('\n');
}
