using System.Text;
using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.Translation;
using Verbatim.Modules.Gateway.Wire.Translation.Responses;

namespace Verbatim.Modules.Gateway.Wire.OpenAi.Responses;

/// <summary>
/// A stream of OpenAI's responses between two sides that both speak that wire: the bytes stay as they are (API reference, "Streaming events").
/// </summary>
/// <remarks>
/// The last event has the whole response. Until it comes, what is known is the response as it began, the items that are whole, and the texts
/// of those that are not.
/// </remarks>
internal sealed class ResponsesStream : AnswerStream
{
    // A provider that goes on inventing items cannot make each event dearer than the one before.
    private const int MostItems = 4096;

    private readonly SortedDictionary<int, Item> _items = [];
    private PooledBytes _begun;
    private PooledBytes _ended;
    private TokenUsage? _usage;
    private int _chunks;
    private bool _isDone;
    private WireError? _error;

    public override int Chunks => _chunks;

    public override bool IsComplete => _isDone;

    public override bool IsDone => _isDone;

    public override bool HasError => _error is not null;

    public override WireError? Error => _error;

    public override TokenUsage? Usage => _usage;

    public override ReadOnlyMemory<byte> Relay(in SseEvent sse)
    {
        // Behind the end clients no longer look.
        if (_isDone)
            return default;
        if (sse.HasData && JsonObjects.IsWellFormed(sse.Data.Span))
            Read(sse.Data.Span, sse.Name.Span);
        return sse.Raw;
    }

    public override byte[] ToArray()
    {
        if (_ended.Length > 0)
            return Sound(_ended.Span);
        var output = new List<byte>();
        foreach (var item in _items.Values)
        {
            if (output.Count > 0)
                output.Add((byte)',');
            item.AddTo(output);
        }
        var response = Sound([.. Head(), .. "\"output\":["u8, .. output, .. "]}"u8]);
        return _error is null
            ? response
            : JsonMembers.With(
                response,
                JsonMember.OfText("status", "failed"),
                new JsonMember(
                    "error",
                    JsonSerializer.SerializeToUtf8Bytes(new { code = _error.Code, message = _error.Message })
                )
            );
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var item in _items.Values)
            item.Dispose();
        _items.Clear();
        _begun.Dispose();
        _ended.Dispose();
    }

    private static byte[] Sound(ReadOnlySpan<byte> json) =>
        System.Text.Unicode.Utf8.IsValid(json) ? json.ToArray() : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json));

    private void Read(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
    {
        _chunks++;
        var members = ResponsesEventMembers.Read(data);
        var type = members.Type.IsEmpty ? name : members.Type;
        switch (ResponsesEventMembers.KindOf(type))
        {
            case ResponsesEvent.Started when members.Response is [(byte)'{', ..]:
                _begun.Set(members.Response);
                break;
            case ResponsesEvent.ItemAdded when members.Item is [(byte)'{', ..]:
                ItemAt(members.OutputIndex)?.Json.Set(members.Item);
                break;
            case ResponsesEvent.ItemDone
                when members.Item is [(byte)'{', ..] && ItemAt(members.OutputIndex) is { } done:
                done.Json.Set(members.Item);
                done.Text.Truncate(0);
                break;
            case ResponsesEvent.Error:
                _error ??= ProviderErrors.InStream(data);
                break;
            case ResponsesEvent.Ended when members.Response is [(byte)'{', ..]:
                ReadEnd(type, members.Response);
                break;
            default:
                // What is in the item's last event too.
                if (type.EndsWith(".delta"u8))
                    ItemAt(members.OutputIndex)?.Text.Append(members.Delta);
                break;
        }
    }

    private void ReadEnd(ReadOnlySpan<byte> type, ReadOnlySpan<byte> response)
    {
        _ended.Set(response);
        if (type.SequenceEqual("response.failed"u8) || type.SequenceEqual("response.cancelled"u8))
            _error ??= ProviderErrors.InStream(response);
        _isDone = _error is null;
        var reader = new Utf8JsonReader(response);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "usage"u8))
                _usage = ResponsesUsage.Read(JsonReading.Raw(ref reader, response)) ?? _usage;
            else
                reader.Skip();
        }
    }

    private Item? ItemAt(int index)
    {
        if (_items.TryGetValue(index, out var item))
            return item;
        if (_items.Count == MostItems)
            return null;
        _items[index] = item = new Item();
        return item;
    }

    // The response as it began, without its empty output.
    private List<byte> Head()
    {
        var head = new List<byte> { (byte)'{' };
        if (_begun.Length == 0)
            return head;
        var begun = _begun.Span;
        var reader = new Utf8JsonReader(begun);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            var name = MergedJson.NameOf(ref reader);
            var value = JsonReading.Raw(ref reader, begun);
            if (name.SequenceEqual("output"u8))
                continue;
            head.AddRange([(byte)'"', .. name, .. "\":"u8, .. value, (byte)',']);
        }
        return head;
    }

    /// <summary>An item with what has come of it: as it began, with the text of its deltas, or as it ended.</summary>
    private sealed class Item : IDisposable
    {
        public PooledBytes Json;
        public PooledBytes Text;

        public void AddTo(List<byte> output)
        {
            var json = Json.Length > 0 ? Json.Span : "{}"u8;
            if (Text.Length == 0)
            {
                output.AddRange(json);
                return;
            }
            output.AddRange(JsonObjects.With([.. "\"partial\":\""u8, .. Text.Span, (byte)'"'], json));
        }

        public void Dispose()
        {
            Json.Dispose();
            Text.Dispose();
        }
    }
}
