using System.Globalization;
using System.Text.Json;
using Verbatim.Modules.Audit.Changes;

namespace Verbatim.Modules.Audit.Replay;

/// <summary>
/// Writes JSON for a person: one property a line, indented, small values on one line, long texts wrapped behind a bar, messages of a dialogue
/// as who says what. What would fill the screen is cut and counted, unless all is asked for.
/// </summary>
internal sealed class JsonText(StyledWriter output, bool isFull)
{
    private const int Step = 2;
    private const int MaxDepth = 24;
    private const int MaxTextLines = 12;
    private const int MaxItems = 24;
    private const int FirstItems = 4;
    private const int LastItems = 12;
    private const int MinTextWidth = 20;
    private const int MaxRoleWidth = 12;

    /// <summary>Something was left out.</summary>
    public bool HasCut { get; private set; }

    /// <summary>Writes a value by itself; an object's properties begin at the column.</summary>
    public void Write(JsonElement value, int column)
    {
        if (value.ValueKind == JsonValueKind.Object && value.EnumerateObject().Any())
            WriteProperties(value.EnumerateObject(), column, depth: 0);
        else
            WriteItem(value, column, depth: 0);
    }

    private void WriteProperties(IEnumerable<JsonProperty> properties, int column, int depth)
    {
        foreach (var property in properties)
        {
            output.MoveTo(column).Write(KeyOf(property), Style.Key).Write(":");
            WriteValue(property.Value, column, depth);
        }
    }

    // Behind a key: on the same line if there is room, otherwise below and indented.
    private void WriteValue(JsonElement value, int column, int depth)
    {
        if (TryInline(value, output.Width - output.Column - 1) is { } inline)
        {
            output.Write(" ").Write(inline).EndLine();
            return;
        }
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when depth < MaxDepth:
                output.EndLine();
                if (ChatMessage.Is(value))
                    WriteMessage(value, column + Step, depth, ChatMessage.RoleOf(value).Length);
                else
                    WriteProperties(value.EnumerateObject(), column + Step, depth + 1);
                break;
            case JsonValueKind.Array when depth < MaxDepth:
                output.EndLine();
                WriteItems(value, column + Step, depth + 1);
                break;
            case JsonValueKind.String:
                output.EndLine();
                WriteText([JsonLook.TextOf(value)], column + Step);
                break;
            default:
                output.Write(" ");
                WriteCompact(value);
                break;
        }
    }

    private void WriteItems(JsonElement array, int column, int depth)
    {
        var items = array.EnumerateArray().ToList();
        var isDialogue = items.TrueForAll(ChatMessage.Is);
        var roleWidth = isDialogue ? Math.Min(MaxRoleWidth, items.Max(m => ChatMessage.RoleOf(m).Length)) : 0;
        var isCut = !isFull && items.Count > MaxItems;
        for (var i = 0; i < items.Count; i++)
        {
            if (isCut && i == FirstItems)
            {
                i = items.Count - LastItems;
                HasCut = true;
                output
                    .MoveTo(column)
                    .Write(string.Create(CultureInfo.InvariantCulture, $"… {i - FirstItems:N0} more …"), Style.Faint)
                    .EndLine();
            }
            if (isDialogue)
            {
                WriteMessage(items[i], column, depth, roleWidth);
            }
            else
            {
                output.MoveTo(column).Write("- ", Style.Faint);
                WriteItem(items[i], column + Step, depth);
            }
        }
    }

    private void WriteItem(JsonElement value, int column, int depth)
    {
        output.MoveTo(column);
        if (TryInline(value, output.Width - output.Column) is { } inline)
            output.Write(inline).EndLine();
        else if (value.ValueKind == JsonValueKind.Object && depth < MaxDepth && !ChatMessage.Is(value))
            WriteProperties(value.EnumerateObject(), column, depth + 1);
        else if (value.ValueKind == JsonValueKind.Object && depth < MaxDepth)
            WriteMessage(value, column, depth, ChatMessage.RoleOf(value).Length);
        else if (value.ValueKind == JsonValueKind.Array && depth < MaxDepth)
            WriteItems(value, column, depth + 1);
        else if (value.ValueKind == JsonValueKind.String)
            WriteText([JsonLook.TextOf(value)], column);
        else
            WriteCompact(value);
    }

    // Nested too deeply to be indented, or a number of hundreds of digits.
    private void WriteCompact(JsonElement value)
    {
        HasCut |= !isFull;
        output
            .Write(
                isFull
                    ? JsonLook.Line(value)
                    : JsonLook.Compact(value, Math.Max(MinTextWidth, output.Width - output.Column))
            )
            .EndLine();
    }

    private void WriteMessage(JsonElement message, int column, int depth, int roleWidth)
    {
        var role = ChatMessage.RoleOf(message);
        output.MoveTo(column).Write(role, Style.Speaker);
        var textColumn = column + Math.Max(roleWidth, role.Length) + 1;
        WriteText(ChatMessage.SaidIn(message), textColumn);
        WriteProperties(ChatMessage.RestOf(message), textColumn + Step, depth + 1);
    }

    // The bar in front of every line keeps a text from passing for anything but a text.
    private void WriteText(IEnumerable<string> texts, int column)
    {
        var width = Math.Max(MinTextWidth, output.Width - column - Step);
        var lines = texts.SelectMany(text => Printable.Wrap(text, width)).DefaultIfEmpty("").ToList();
        // A cut that hides a single line gains nothing.
        var shown = isFull || lines.Count <= MaxTextLines + 1 ? lines.Count : MaxTextLines;
        foreach (var line in lines.Take(shown))
        {
            output.MoveTo(column).Write("│", Style.Faint);
            if (line.Length > 0)
                output.Write(" ").Write(line);
            output.EndLine();
        }
        if (shown == lines.Count)
            return;
        HasCut = true;
        output
            .MoveTo(column)
            .Write(string.Create(CultureInfo.InvariantCulture, $"│ … {lines.Count - shown:N0} more lines"), Style.Faint)
            .EndLine();
    }

    private static string? TryInline(JsonElement value, int width)
    {
        var inline = value.ValueKind switch
        {
            JsonValueKind.String => InlineText(value, width),
            JsonValueKind.Object => InlineObject(value, width),
            JsonValueKind.Array => InlineArray(value, width),
            _ => value.GetRawText(),
        };
        return inline is not null && Printable.WidthOf(inline) <= width ? inline : null;
    }

    private static string? InlineText(JsonElement value, int width)
    {
        // Without reading megabytes to find that they do not fit.
        var text = JsonLook.LengthOf(value) > width * 6 ? null : JsonLook.TextOf(value);
        return text is null || text.Contains('\n', StringComparison.Ordinal) ? null : Printable.Quoted(text);
    }

    private static string? InlineObject(JsonElement value, int width)
    {
        if (ChatMessage.Is(value))
            return null;
        var parts = new List<string>();
        foreach (var property in value.EnumerateObject())
        {
            if (!IsScalar(property.Value) || TryInline(property.Value, width) is not { } inline)
                return null;
            parts.Add($"{KeyOf(property)}: {inline}");
            width -= inline.Length;
        }
        return parts.Count == 0 ? "{}" : $"{{ {string.Join(", ", parts)} }}";
    }

    private static string? InlineArray(JsonElement value, int width)
    {
        var parts = new List<string>();
        foreach (var item in value.EnumerateArray())
        {
            if (!IsScalar(item) || TryInline(item, width) is not { } inline)
                return null;
            parts.Add(inline);
            width -= inline.Length;
        }
        return $"[{string.Join(", ", parts)}]";
    }

    private static bool IsScalar(JsonElement value) =>
        value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array);

    // A name that could pass for punctuation is quoted.
    private static string KeyOf(JsonProperty property)
    {
        var name = JsonLook.NameOf(property);
        return name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '$')
            ? name
            : Printable.Quoted(name);
    }
}
