using System.Globalization;
using System.Text.Json;

namespace Verbatim.Tests.Upstream.Commands;

/// <summary>
/// The value of one command, from JSON or from the text of a model name. It reads strictly: a number in quotes is
/// wrong in JSON, so that a test does not pass by a command that was never obeyed.
/// </summary>
internal readonly struct CommandValue
{
    private readonly string _command;
    private readonly string? _text;
    private readonly JsonElement _json;

    public CommandValue(string command, string? text)
    {
        _command = command;
        _text = text ?? "";
    }

    public CommandValue(string command, JsonElement json)
    {
        _command = command;
        _json = json;
    }

    public bool IsObject => _text is null && _json.ValueKind is JsonValueKind.Object;

    /// <summary>True for what <see cref="Flag"/> reads.</summary>
    public bool IsFlag =>
        _text is null ? _json.ValueKind is JsonValueKind.True or JsonValueKind.False : _text is "" or "true" or "false";

    public bool IsArray => _text is null && _json.ValueKind is JsonValueKind.Array;

    public JsonElement Json => _json;

    public string Text() =>
        _text ?? (_json.ValueKind is JsonValueKind.String ? _json.GetString()! : throw Wrong("a text"));

    /// <summary>A text, or a number as its text: a header may be given either way.</summary>
    public string TextOrNumber() =>
        _text is null && _json.ValueKind is JsonValueKind.Number ? _json.GetRawText() : Text();

    public int Integer(int least, int most) =>
        TryInteger(out var value) && value >= least && value <= most
            ? value
            : throw Wrong(string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"));

    public bool Flag() =>
        (_text, _json.ValueKind) switch
        {
            ("" or "true", _) or (null, JsonValueKind.True) => true,
            ("false", _) or (null, JsonValueKind.False) => false,
            _ => throw Wrong("true or false"),
        };

    /// <summary>One of the names of an enumeration, in lower case; JSON null is the name <c>null</c>.</summary>
    public T OneOf<T>(params ReadOnlySpan<(string Name, T Value)> names)
    {
        var given = _text is null && _json.ValueKind is JsonValueKind.Null ? "null" : Text();
        foreach (var (name, value) in names)
        {
            if (string.Equals(given, name, StringComparison.Ordinal))
                return value;
        }

        var valid = new List<string>();
        foreach (var (name, _) in names)
            valid.Add(name);
        throw Wrong($"one of {string.Join(", ", valid)}");
    }

    public Position Position()
    {
        if (Commands.Position.TryParse(TextOrNumber(), out var position))
            return position;
        throw Wrong("a position: a number of events (3), with bytes of the next (3+17), or request");
    }

    /// <summary>One value or several: a JSON array, or a text with semicolons.</summary>
    public IReadOnlyList<T> List<T>(Func<CommandValue, T> read)
    {
        var values = new List<T>();
        if (IsArray)
        {
            foreach (var item in _json.EnumerateArray())
                values.Add(read(new CommandValue(_command, item)));
        }
        else if (_text is not null)
        {
            foreach (var item in _text.Split(';'))
                values.Add(read(new CommandValue(_command, item)));
        }
        else
        {
            values.Add(read(this));
        }

        return values;
    }

    public WrongCommandException Wrong(string expected)
    {
        var found = _text ?? _json.GetRawText();
        return new WrongCommandException(
            _command,
            $"The command '{_command}' takes {expected}, not {(found.Length > 60 ? found[..60] + "..." : found)}."
        );
    }

    private bool TryInteger(out int value)
    {
        value = 0;
        return _text is null
            ? _json.ValueKind is JsonValueKind.Number && _json.TryGetInt32(out value)
            : int.TryParse(_text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }
}
