using System.Globalization;
using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>
/// An object of a caller's body, whose members are taken one by one; what nobody has taken at the end, no other wire has a word for.
/// A member that is null counts as not given.
/// </summary>
internal sealed class RequestObject
{
    private readonly RequestReading _reading;
    private readonly string _path;
    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.Ordinal);

    public RequestObject(RequestReading reading, JsonElement element, string path)
    {
        _reading = reading;
        _path = path;
        foreach (var member in element.EnumerateObject())
        {
            if (NameOf(member) is not { } name)
                reading.CannotSay(
                    path.Length == 0 ? "(a name that is not Unicode)" : path,
                    "has a member whose name is not Unicode"
                );
            else if (member.Value.ValueKind == JsonValueKind.Null)
                _members.Remove(name);
            else
                _members[name] = member.Value;
        }
    }

    /// <summary>The caller's name of a member.</summary>
    public string PathOf(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    /// <summary>The caller's name of an element of a list.</summary>
    public static string PathOf(string path, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]");

    /// <summary>A member, whatever it is.</summary>
    public JsonElement? Take(string name) => _members.Remove(name, out var value) ? value : null;

    /// <summary>The bytes of a member, which stays to be taken; empty without it.</summary>
    public ReadOnlyMemory<byte> PeekRaw(string name) =>
        _members.TryGetValue(name, out var value) ? _reading.Raw(value) : default;

    /// <summary>A member and its bytes.</summary>
    public Given<ReadOnlyMemory<byte>>? TakeRaw(string name) =>
        Take(name) is { } value ? new(PathOf(name), _reading.Raw(value)) : null;

    /// <summary>A string.</summary>
    public Given<JsonText>? TakeText(string name)
    {
        if (Take(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.String)
            return new(PathOf(name), new JsonText(_reading.Raw(value)));
        _reading.WrongType(PathOf(name), "a string", value);
        return null;
    }

    /// <summary>A string that must be there; empty where it is not.</summary>
    public JsonText RequireText(string name)
    {
        if (!_members.ContainsKey(name))
            _reading.Missing(PathOf(name));
        return TakeText(name)?.Value ?? JsonText.Empty;
    }

    /// <summary>A word of the wire, or null.</summary>
    public string? TakeWord(string name) => TakeText(name)?.Value.ToString();

    /// <summary>A boolean.</summary>
    public Given<bool>? TakeBool(string name)
    {
        if (Take(name) is not { } value)
            return null;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return new(PathOf(name), value.ValueKind == JsonValueKind.True);
        _reading.WrongType(PathOf(name), "a boolean", value);
        return null;
    }

    /// <summary>A number.</summary>
    public Given<Number>? TakeNumber(string name)
    {
        if (Take(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number)
            return new(
                PathOf(name),
                new Number(_reading.Raw(value), value.TryGetDouble(out var number) ? number : double.NaN)
            );
        _reading.WrongType(PathOf(name), "a number", value);
        return null;
    }

    /// <summary>A whole number that is not negative.</summary>
    public Given<long>? TakeCount(string name)
    {
        if (Take(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var count) && count >= 0)
            return new(PathOf(name), count);
        _reading.WrongType(PathOf(name), "an integer that is not negative", value);
        return null;
    }

    /// <summary>An object, to be taken apart.</summary>
    public RequestObject? TakeObject(string name)
    {
        if (Take(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Object)
            return new RequestObject(_reading, value, PathOf(name));
        _reading.WrongType(PathOf(name), "an object", value);
        return null;
    }

    /// <summary>The elements of a list.</summary>
    public IEnumerable<(JsonElement Element, string Path)> TakeList(string name)
    {
        if (Take(name) is not { } value)
            return [];
        if (value.ValueKind == JsonValueKind.Array)
            return Elements(value, PathOf(name));
        _reading.WrongType(PathOf(name), "an array", value);
        return [];
    }

    /// <summary>The objects of a list, to be taken apart.</summary>
    public IEnumerable<RequestObject> TakeObjects(string name) => Objects(_reading, TakeList(name));

    /// <summary>The objects of a list, to be taken apart.</summary>
    public static IEnumerable<RequestObject> Objects(
        RequestReading reading,
        IEnumerable<(JsonElement Element, string Path)> elements
    )
    {
        foreach (var (element, path) in elements)
        {
            if (element.ValueKind == JsonValueKind.Object)
                yield return new RequestObject(reading, element, path);
            else
                reading.WrongType(path, "an object", element);
        }
    }

    /// <summary>The elements of a list with the caller's names of them.</summary>
    public static IEnumerable<(JsonElement Element, string Path)> Elements(JsonElement list, string path)
    {
        var index = 0;
        foreach (var element in list.EnumerateArray())
            yield return (element, PathOf(path, index++));
    }

    /// <summary>What this object is called.</summary>
    public string Path => _path;

    /// <summary>Whether a member is still there.</summary>
    public bool Has(string name) => _members.ContainsKey(name);

    /// <summary>Takes members that ask for nothing.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            _members.Remove(name);
    }

    /// <summary>Takes a member that no other wire has a word for, and says so.</summary>
    public void Refuse(string name, string reason = "is not known to the provider of this model")
    {
        if (_members.Remove(name))
            _reading.CannotSay(PathOf(name), reason);
    }

    /// <summary>Says of everything that nobody took that the provider's wire has no word for it.</summary>
    public void RefuseRest()
    {
        foreach (var name in _members.Keys.Order(StringComparer.Ordinal))
            _reading.CannotSay(PathOf(name), "is not known to the provider of this model");
        _members.Clear();
    }

    private static string? NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            // An escape that is half of a surrogate pair.
            return null;
        }
    }
}
