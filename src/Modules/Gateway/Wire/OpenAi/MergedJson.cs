using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.OpenAi;

/// <summary>What a value is the value of; decides how its pieces are put together.</summary>
internal enum MergedShape
{
    /// <summary>Nothing that the wire gives a meaning to.</summary>
    Plain,

    /// <summary>A choice's <c>delta</c>.</summary>
    Message,

    /// <summary><c>logprobs</c>: no element of a list continues one that came before.</summary>
    Log,

    /// <summary><c>tool_calls</c> of a delta.</summary>
    ToolCalls,

    /// <summary>One element of <c>tool_calls</c>.</summary>
    ToolCall,

    /// <summary><c>function</c> of a tool call, or the <c>function_call</c> that came before tools.</summary>
    Function,
}

/// <summary>
/// A JSON value that arrives in pieces. Texts grow, objects merge member by member, lists grow or merge by their elements' <c>index</c>,
/// other values are replaced; null changes nothing. Texts stay escaped as they came: the insides of JSON strings joined are the inside of a
/// JSON string, also where a surrogate pair was cut in two.
/// </summary>
/// <remarks>
/// The rules of OpenAI's own client (openai-python, <c>accumulate_delta</c>) with two additions: members that name a thing (<c>id</c>,
/// <c>name</c>, <c>role</c> …) are taken once, since some providers repeat them in every chunk; and where a provider changes between kinds
/// (Mistral sends <c>content</c> as a list while it reasons, then as text), both stay, side by side in a list.
/// </remarks>
internal sealed class MergedJson : IDisposable
{
    /// <summary>
    /// The most members in an object, or indexed elements in a list: a provider that goes on inventing names cannot make each chunk dearer
    /// than the one before. What comes beyond is left out.
    /// </summary>
    internal const int MaxEntries = 1024;

    private static readonly Name[] KnownNames =
    [
        new([.. "content"u8], Once: false),
        new([.. "role"u8], Once: true),
        new([.. "refusal"u8], Once: false),
        new([.. "reasoning_content"u8], Once: false),
        new([.. "reasoning"u8], Once: false),
        new([.. "tool_calls"u8], Once: false),
        new([.. "index"u8], Once: true),
        new([.. "id"u8], Once: true),
        new([.. "type"u8], Once: true),
        new([.. "function"u8], Once: false),
        new([.. "name"u8], Once: true),
        new([.. "arguments"u8], Once: false),
        new([.. "format"u8], Once: true),
        new([.. "finish_reason"u8], Once: false),
    ];

    private Kind _kind;
    private PooledBytes _bytes;
    private bool _endsWithText;
    private List<Member>? _members;
    private List<Item>? _items;

    private enum Kind
    {
        Null,

        /// <summary>The bytes are the inside of a string.</summary>
        Text,

        /// <summary>The bytes are a whole value.</summary>
        Raw,

        Object,

        /// <summary>The bytes are elements with commas between them; they stand behind the elements that have an index.</summary>
        List,
    }

    /// <summary>Nothing but null has come.</summary>
    public bool IsNull => _kind == Kind.Null;

    /// <summary>Neither null nor an empty text.</summary>
    public bool HasValue => _kind != Kind.Null && (_kind != Kind.Text || _bytes.Length > 0);

    /// <summary>The members of an object in the order of their arrival.</summary>
    public IReadOnlyList<Member> Members => _members ?? (IReadOnlyList<Member>)[];

    /// <summary>The inside of a text as it stands in JSON, or a whole value that is no text; empty for what has grown otherwise.</summary>
    public ReadOnlySpan<byte> Bytes => _kind is Kind.Text or Kind.Raw ? _bytes.Span : default;

    /// <summary>The value of a member by its name, or null.</summary>
    public MergedJson? Find(ReadOnlySpan<byte> name)
    {
        if (_members is not null)
        {
            foreach (var member in _members)
            {
                if (name.SequenceEqual(member.Name))
                    return member.Value;
            }
        }
        return null;
    }

    /// <summary>The value of a member that is a text, and grows; null when it is none.</summary>
    public MergedJson? FindText(ReadOnlySpan<byte> name)
    {
        foreach (var member in _members ?? [])
        {
            if (name.SequenceEqual(member.Name))
                return member is { Once: false, Value._kind: Kind.Text } ? member.Value : null;
        }
        return null;
    }

    /// <summary>Appends to a text; false when it is none any more.</summary>
    /// <param name="escaped">The inside of a JSON string.</param>
    public bool TryAppendText(ReadOnlySpan<byte> escaped)
    {
        if (_kind != Kind.Text)
            return false;
        _bytes.Append(escaped);
        return true;
    }

    /// <summary>Merges the value that the reader stands on, and leaves the reader on its last token.</summary>
    /// <param name="reader">On the first token of a value that has been found well-formed.</param>
    /// <param name="source">The bytes that the reader reads.</param>
    /// <param name="shape">What the value is.</param>
    public void Merge(ref Utf8JsonReader reader, ReadOnlySpan<byte> source, MergedShape shape)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                break;
            case JsonTokenType.String:
                AddText(reader.ValueSpan);
                break;
            case JsonTokenType.StartArray:
                MergeList(ref reader, source, shape);
                break;
            case JsonTokenType.StartObject when _kind is Kind.Text or Kind.List:
                BecomeList();
                AddElement(JsonSlice.OfValue(ref reader).Of(source));
                break;
            case JsonTokenType.StartObject:
                MergeObject(ref reader, source, shape);
                break;
            default:
                if (_kind is Kind.Null or Kind.Raw)
                    Replace(reader.ValueSpan);
                break;
        }
    }

    /// <summary>Puts a whole value, which is not null, in place of what a member has.</summary>
    public void Replace(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json)
    {
        BecomeObject();
        if (FindOrAdd(name) is { } member && !member.Value._bytes.Span.SequenceEqual(json))
            member.Value.Replace(json);
    }

    /// <summary>Writes the value.</summary>
    public void WriteTo(IBufferWriter<byte> writer)
    {
        switch (_kind)
        {
            case Kind.Text:
                writer.Write("\""u8);
                writer.WriteUtf8(_bytes.Span);
                writer.Write("\""u8);
                break;
            case Kind.Raw:
                writer.WriteUtf8(_bytes.Span);
                break;
            case Kind.Object:
                WriteObject(writer);
                break;
            case Kind.List:
                WriteList(writer);
                break;
            default:
                writer.Write("null"u8);
                break;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kind = Kind.Null;
        _bytes.Dispose();
        foreach (var member in _members ?? [])
            member.Value.Dispose();
        foreach (var item in _items ?? [])
            item.Value.Dispose();
        _members = null;
        _items = null;
    }

    /// <summary>
    /// The name that the reader stands on, as it is kept: without escapes that it does not need, so that one name has one form.
    /// </summary>
    public static ReadOnlySpan<byte> NameOf(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
            return reader.ValueSpan;
        try
        {
            return JsonEncodedText
                .Encode(reader.GetString()!, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)
                .EncodedUtf8Bytes;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: it stays as it came.
            return reader.ValueSpan;
        }
    }

    private void Replace(ReadOnlySpan<byte> json)
    {
        _kind = Kind.Raw;
        _bytes.Set(json);
    }

    private void AddText(ReadOnlySpan<byte> escaped)
    {
        switch (_kind)
        {
            case Kind.Text:
                _bytes.Append(escaped);
                break;
            case Kind.List when _endsWithText:
                _bytes.Truncate(_bytes.Length - 1);
                _bytes.Append(escaped);
                _bytes.Append("\""u8);
                break;
            case Kind.List:
            case Kind.Object:
                BecomeList();
                AddElement("\""u8);
                _bytes.Append(escaped);
                _bytes.Append("\""u8);
                _endsWithText = true;
                break;
            default:
                _kind = Kind.Text;
                _bytes.Set(escaped);
                break;
        }
    }

    private void AddElement(ReadOnlySpan<byte> json)
    {
        if (_bytes.Length > 0)
            _bytes.Append(","u8);
        _bytes.Append(json);
        _endsWithText = false;
    }

    private void BecomeObject()
    {
        if (_kind == Kind.Object)
            return;
        _kind = Kind.Object;
        _bytes.Truncate(0);
    }

    private void BecomeList()
    {
        if (_kind == Kind.List)
            return;
        if (_kind is Kind.Text or Kind.Object)
        {
            var written = new ArrayBufferWriter<byte>();
            WriteTo(written);
            _bytes.Set(written.WrittenSpan);
            _endsWithText = _kind == Kind.Text;
            foreach (var member in _members ?? [])
                member.Value.Dispose();
            _members = null;
        }
        else
        {
            _bytes.Truncate(0);
        }
        _kind = Kind.List;
    }

    private void MergeObject(ref Utf8JsonReader reader, ReadOnlySpan<byte> source, MergedShape shape)
    {
        BecomeObject();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = NameOf(ref reader);
            var member = FindOrAdd(name);
            reader.Read();
            if (member is not { } known || (known.Once && known.Value.HasValue))
                reader.Skip();
            else if (shape == MergedShape.Function && IsUnquotedArguments(reader.TokenType, name))
                known.Value.AddText(JsonEncodedText.Encode(JsonSlice.OfValue(ref reader).Of(source)).EncodedUtf8Bytes);
            else
                known.Value.Merge(ref reader, source, ShapeOf(shape, name));
        }
    }

    // The arguments are a string of JSON; some providers send the JSON itself.
    private static bool IsUnquotedArguments(JsonTokenType type, ReadOnlySpan<byte> name) =>
        type is JsonTokenType.StartObject or JsonTokenType.StartArray && name.SequenceEqual("arguments"u8);

    private static MergedShape ShapeOf(MergedShape parent, ReadOnlySpan<byte> name) =>
        parent switch
        {
            MergedShape.Log => MergedShape.Log,
            MergedShape.Message when name.SequenceEqual("tool_calls"u8) => MergedShape.ToolCalls,
            MergedShape.Message when name.SequenceEqual("function_call"u8) => MergedShape.Function,
            MergedShape.ToolCall when name.SequenceEqual("function"u8) => MergedShape.Function,
            _ => MergedShape.Plain,
        };

    private void MergeList(ref Utf8JsonReader reader, ReadOnlySpan<byte> source, MergedShape shape)
    {
        BecomeList();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.StartObject && shape != MergedShape.Log)
            {
                var seen = Element.Peek(reader);
                if (shape == MergedShape.ToolCalls)
                {
                    if (ToolCallFor(seen) is { } call)
                        call.MergeObject(ref reader, source, MergedShape.ToolCall);
                    else
                        reader.Skip();
                    continue;
                }
                if (seen.Index is { } index)
                {
                    if ((ItemAt(index) ?? AddItem(index, isToolCall: false)) is { } item)
                        item.MergeObject(ref reader, source, MergedShape.Plain);
                    else
                        reader.Skip();
                    continue;
                }
            }
            AddElement(JsonSlice.OfValue(ref reader).Of(source));
        }
    }

    /// <summary>
    /// The call that a piece belongs to: the one with its index. Some providers leave the index out, or send several calls with index 0
    /// (Google's OpenAI endpoint has done both); a new id together with a name then begins a new call.
    /// </summary>
    private MergedJson? ToolCallFor(Element piece)
    {
        var known = piece.Index is { } index
            ? ItemAt(index)
            : CallOf(piece.Id) ?? (_items is [.., var last] ? last.Value : null);
        if (known is null)
            return AddItem(piece.Index ?? 0, isToolCall: true);
        if (!piece.HasName || known.Find("function"u8)?.Find("name"u8) is not { HasValue: true })
            return known;
        var isAnother = piece.Id.IsEmpty
            ? piece.Index is null
            : known.Find("id"u8) is { HasValue: true } id && !id.Bytes.SequenceEqual(piece.Id);
        return isAnother ? AddItem(piece.Index ?? (_items![^1].Index + 1), isToolCall: true) : known;
    }

    private MergedJson? CallOf(ReadOnlySpan<byte> id)
    {
        if (!id.IsEmpty)
        {
            foreach (var item in _items ?? [])
            {
                if (item.Value.Find("id"u8) is { } known && known.Bytes.SequenceEqual(id))
                    return item.Value;
            }
        }
        return null;
    }

    private MergedJson? ItemAt(int index)
    {
        // The last one of its index, which is mostly the last one.
        for (var at = (_items?.Count ?? 0) - 1; at >= 0; at--)
        {
            if (_items![at].Index == index)
                return _items[at].Value;
        }
        return null;
    }

    private MergedJson? AddItem(int index, bool isToolCall)
    {
        _items ??= [];
        if (_items.Count == MaxEntries)
            return null;
        var at = _items.Count;
        while (at > 0 && _items[at - 1].Index > index)
            at--;
        var added = new MergedJson();
        _items.Insert(at, new Item(index, added, isToolCall));
        return added;
    }

    private Member? FindOrAdd(ReadOnlySpan<byte> name)
    {
        _members ??= [];
        foreach (var member in _members)
        {
            if (name.SequenceEqual(member.Name))
                return member;
        }
        if (_members.Count == MaxEntries)
            return null;
        var added = NewMember(name);
        _members.Add(added);
        return added;
    }

    private static Member NewMember(ReadOnlySpan<byte> name)
    {
        foreach (var known in KnownNames)
        {
            if (name.SequenceEqual(known.Utf8))
                return new Member(known.Utf8, new MergedJson(), known.Once);
        }
        return new Member(name.ToArray(), new MergedJson(), Once: false);
    }

    private void WriteObject(IBufferWriter<byte> writer)
    {
        writer.Write("{"u8);
        var separator = default(ReadOnlySpan<byte>);
        foreach (var member in Members)
        {
            writer.Write(separator);
            member.WriteTo(writer);
            separator = ","u8;
        }
        writer.Write("}"u8);
    }

    private void WriteList(IBufferWriter<byte> writer)
    {
        writer.Write("["u8);
        var separator = default(ReadOnlySpan<byte>);
        foreach (var item in _items ?? [])
        {
            writer.Write(separator);
            if (item.IsToolCall)
                item.Value.WriteToolCall(writer);
            else
                item.Value.WriteTo(writer);
            separator = ","u8;
        }
        if (_bytes.Length > 0)
        {
            writer.Write(separator);
            writer.WriteUtf8(_bytes.Span);
        }
        writer.Write("]"u8);
    }

    /// <summary>As in an answer that was not streamed: without <c>index</c>, with the name and the arguments of a function.</summary>
    private void WriteToolCall(IBufferWriter<byte> writer)
    {
        writer.Write("{"u8);
        if (Find("id"u8) is { } id)
        {
            writer.Write("\"id\":"u8);
            id.WriteTo(writer);
            writer.Write(","u8);
        }
        writer.Write("\"type\":"u8);
        if (Find("type"u8) is { HasValue: true } type)
            type.WriteTo(writer);
        else
            writer.Write(Find("custom"u8) is null ? "\"function\""u8 : "\"custom\""u8);
        foreach (var member in Members)
        {
            if (member.Is("id"u8) || member.Is("type"u8) || member.Is("index"u8))
                continue;
            writer.Write(","u8);
            if (member.Is("function"u8) && member.Value._kind == Kind.Object)
                member.Value.WriteFunction(writer);
            else
                member.WriteTo(writer);
        }
        writer.Write("}"u8);
    }

    private void WriteFunction(IBufferWriter<byte> writer)
    {
        writer.Write("\"function\":{\"name\":"u8);
        WriteTextOrEmpty(writer, Find("name"u8));
        writer.Write(",\"arguments\":"u8);
        WriteTextOrEmpty(writer, Find("arguments"u8));
        foreach (var member in Members)
        {
            if (member.Is("name"u8) || member.Is("arguments"u8))
                continue;
            writer.Write(","u8);
            member.WriteTo(writer);
        }
        writer.Write("}"u8);
    }

    private static void WriteTextOrEmpty(IBufferWriter<byte> writer, MergedJson? text)
    {
        if (text is { IsNull: false })
            text.WriteTo(writer);
        else
            writer.Write("\"\""u8);
    }

    /// <summary>A member of an object.</summary>
    /// <param name="Name">As it stands in JSON, without its quotes.</param>
    /// <param name="Value">What has come of it.</param>
    /// <param name="Once">The first value that is one stays.</param>
    internal readonly record struct Member(byte[] Name, MergedJson Value, bool Once)
    {
        /// <summary>Whether this is its name.</summary>
        public bool Is(ReadOnlySpan<byte> name) => name.SequenceEqual(Name);

        /// <summary>Writes name and value.</summary>
        public void WriteTo(IBufferWriter<byte> writer)
        {
            writer.Write("\""u8);
            writer.WriteUtf8(Name);
            writer.Write("\":"u8);
            Value.WriteTo(writer);
        }
    }

    private readonly record struct Name(byte[] Utf8, bool Once);

    private readonly record struct Item(int Index, MergedJson Value, bool IsToolCall);

    /// <summary>What an element of a list says of its place.</summary>
    private readonly ref struct Element
    {
        private Element(int? index, ReadOnlySpan<byte> id, bool hasName)
        {
            Index = index;
            Id = id;
            HasName = hasName;
        }

        public int? Index { get; }

        public ReadOnlySpan<byte> Id { get; }

        public bool HasName { get; }

        /// <summary>Looks ahead: the reader is a copy.</summary>
        public static Element Peek(Utf8JsonReader reader)
        {
            int? index = null;
            var id = default(ReadOnlySpan<byte>);
            var hasName = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isIndex = JsonNames.Is(ref reader, "index"u8);
                var isId = JsonNames.Is(ref reader, "id"u8);
                var isFunction = JsonNames.Is(ref reader, "function"u8);
                reader.Read();
                if (isIndex && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var number))
                    index = number;
                else if (isId && reader.TokenType == JsonTokenType.String)
                    id = reader.ValueSpan;
                else if (isFunction && reader.TokenType == JsonTokenType.StartObject)
                    hasName = PeekName(reader);
                reader.Skip();
            }
            return new Element(index, id, hasName);
        }

        private static bool PeekName(Utf8JsonReader reader)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isName = JsonNames.Is(ref reader, "name"u8);
                reader.Read();
                if (isName)
                    return reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length > 0;
                reader.Skip();
            }
            return false;
        }
    }
}
