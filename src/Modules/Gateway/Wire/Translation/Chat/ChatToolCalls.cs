using System.Text;
using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation.Chat;

/// <summary>
/// The <c>tool_calls</c> of a chat completion, which come in pieces told apart by their <c>index</c>, brought into an order in which one call is
/// whole before the next begins: so the other wires have them. A call that begins in the middle of another's arguments waits.
/// </summary>
internal sealed class ChatToolCalls(Answer answer) : IDisposable
{
    // A provider that goes on inventing calls cannot make each piece dearer than the one before.
    private const int MostWaiting = 256;

    private readonly List<Waiting> _waiting = [];
    private int _openIndex = -1;
    private byte[] _openId = [];

    /// <summary>The open call's arguments are not whole yet.</summary>
    public bool IsInCall => Open is { } open && !IsWhole(open.Text);

    private AnswerPart? Open =>
        answer.Parts is [.., { Kind: PartKind.ToolCall, IsClosed: false } last] && _openIndex >= 0 ? last : null;

    /// <summary>Reads the pieces that a chunk has.</summary>
    public void Read(ReadOnlySpan<byte> list)
    {
        var reader = new Utf8JsonReader(list);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
            return;
        while (JsonReading.NextElement(ref reader))
        {
            if (JsonReading.IsObject(ref reader))
                ReadPiece(ref reader, list);
        }
    }

    /// <summary>No more pieces come: what waits follows now.</summary>
    public void Flush()
    {
        while (_waiting.Count > 0)
            BeginWaiting();
    }

    public void Dispose()
    {
        foreach (var waiting in _waiting)
            waiting.Dispose();
        _waiting.Clear();
    }

    private void ReadPiece(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> source)
    {
        int? index = null;
        var id = default(ReadOnlySpan<byte>);
        var name = default(ReadOnlySpan<byte>);
        var arguments = default(ReadOnlySpan<byte>);
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "index"u8))
                index = JsonReading.Number(ref reader);
            else if (JsonNames.Is(ref reader, "id"u8))
                id = JsonReading.Text(ref reader);
            else if (!JsonNames.Is(ref reader, "function"u8))
                reader.Skip();
            else if (JsonReading.EnterObject(ref reader))
                ReadFunction(ref reader, source, out name, out arguments);
        }
        Add(index, id, name, arguments);
    }

    private static void ReadFunction(
        scoped ref Utf8JsonReader reader,
        ReadOnlySpan<byte> source,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> arguments
    )
    {
        name = default;
        arguments = default;
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "name"u8))
                name = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "arguments"u8))
                arguments = Arguments(JsonReading.Raw(ref reader, source));
            else
                reader.Skip();
        }
    }

    // The arguments are JSON as a string; some providers send the JSON itself.
    private static ReadOnlySpan<byte> Arguments(ReadOnlySpan<byte> value) =>
        value[0] switch
        {
            (byte)'"' => value[1..^1],
            (byte)'{' => JsonText.Escape(Encoding.UTF8.GetString(value)),
            _ => default,
        };

    private void Add(int? index, ReadOnlySpan<byte> id, ReadOnlySpan<byte> name, ReadOnlySpan<byte> arguments)
    {
        var open = Open;
        if (open is not null && IsOpen(index, id, name))
        {
            answer.Append(PartKind.ToolCall, arguments);
            while (_waiting.Count > 0 && Open is { } whole && IsWhole(whole.Text))
                BeginWaiting();
        }
        else if (WaitingFor(index, id, name) is { } waiting)
        {
            waiting.Arguments.Append(arguments);
        }
        else if (name.IsEmpty && id.IsEmpty)
        {
            // The rest of a call that is closed, or of none: nothing that could be told to anybody.
        }
        else if (open is not null && !IsWhole(open.Text))
        {
            if (_waiting.Count < MostWaiting)
                _waiting.Add(
                    new Waiting(index ?? _openIndex + _waiting.Count + 1, id.ToArray(), name.ToArray(), arguments)
                );
        }
        else
        {
            Begin(index ?? _openIndex + 1, id, name);
            answer.Append(PartKind.ToolCall, arguments);
        }
    }

    private void Begin(int index, ReadOnlySpan<byte> id, ReadOnlySpan<byte> name)
    {
        answer.Begin(PartKind.ToolCall, id, name);
        _openIndex = index;
        _openId = id.ToArray();
    }

    private void BeginWaiting()
    {
        using var waiting = _waiting[0];
        _waiting.RemoveAt(0);
        Begin(waiting.Index, waiting.Id, waiting.Name);
        answer.Append(PartKind.ToolCall, waiting.Arguments.Span);
    }

    // Some providers leave the index out, or send several calls with index 0: a new id together with a name then begins a new call.
    private bool IsOpen(int? index, ReadOnlySpan<byte> id, ReadOnlySpan<byte> name)
    {
        if (index is { } i && i != _openIndex)
            return false;
        if (name.IsEmpty)
            return id.IsEmpty || _openId.Length == 0 || id.SequenceEqual(_openId);
        return id.IsEmpty ? index is not null : id.SequenceEqual(_openId);
    }

    private Waiting? WaitingFor(int? index, ReadOnlySpan<byte> id, ReadOnlySpan<byte> name)
    {
        for (var at = _waiting.Count - 1; at >= 0; at--)
        {
            var waiting = _waiting[at];
            if (index is { } i && i != waiting.Index)
                continue;
            if (name.IsEmpty || id.SequenceEqual(waiting.Id))
                return waiting;
        }
        return null;
    }

    private static bool IsWhole(ReadOnlySpan<byte> escaped) =>
        escaped is [(byte)'{', .., (byte)'}']
        && JsonObjects.IsWellFormed(Encoding.UTF8.GetBytes(JsonText.Unescape(escaped)));

    private sealed class Waiting : IDisposable
    {
        public PooledBytes Arguments;

        public Waiting(int index, byte[] id, byte[] name, ReadOnlySpan<byte> arguments)
        {
            Index = index;
            Id = id;
            Name = name;
            Arguments.Append(arguments);
        }

        public int Index { get; }

        public byte[] Id { get; }

        public byte[] Name { get; }

        public void Dispose() => Arguments.Dispose();
    }
}
