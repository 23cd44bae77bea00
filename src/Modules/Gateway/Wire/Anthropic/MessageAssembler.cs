using System.Buffers;
using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Wire.Anthropic;

/// <summary>
/// Puts the events of a message together into the message that a client without streaming would have got. What is given to it has been found
/// well-formed.
/// </summary>
/// <remarks>
/// A delta's members grow the block's members of the same names, so blocks and deltas that are not known are kept as well. The input of a tool comes as
/// pieces of JSON text, a citation as a list's next element.
/// </remarks>
internal sealed class MessageAssembler : IDisposable
{
    private readonly MergedJson _message = new();
    private readonly MergedJson _usage = new();
    private readonly List<Block> _blocks = [];

    /// <summary>The message as it begins.</summary>
    public void Start(ReadOnlySpan<byte> message)
    {
        var reader = new Utf8JsonReader(message);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            var name = MergedJson.NameOf(ref reader);
            var value = JsonReading.Raw(ref reader, message);
            if (name.SequenceEqual("usage"u8))
                MergeUsage(value);
            else if (!name.SequenceEqual("content"u8))
                _message.Replace(name, value);
        }
    }

    /// <summary>Counts are cumulative: the later one stands, and null says nothing.</summary>
    public void MergeUsage(ReadOnlySpan<byte> usage)
    {
        if (usage[0] == '{')
            ReplaceMembers(_usage, usage);
    }

    /// <summary>Takes the reason of the end, and what comes with it.</summary>
    /// <returns>True when there is a reason.</returns>
    public bool MergeEnd(ReadOnlySpan<byte> delta)
    {
        ReplaceMembers(_message, delta);
        return _message.Find("stop_reason"u8) is { } reason && !reason.Bytes.SequenceEqual("null"u8);
    }

    /// <summary>A block begins.</summary>
    public void Begin(int index, ReadOnlySpan<byte> block)
    {
        if (block[0] == '{')
            BlockAt(index).Fields.MergeObject(block);
    }

    /// <summary>More of a block.</summary>
    public void Append(int index, ReadOnlySpan<byte> delta)
    {
        var block = BlockAt(index);
        var reader = new Utf8JsonReader(delta);
        reader.Read();
        var mark = reader;
        while (JsonReading.NextMember(ref mark))
        {
            if (JsonNames.Is(ref mark, "partial_json"u8))
            {
                block.Input.Append(JsonReading.Text(ref mark));
                return;
            }
            if (JsonNames.Is(ref mark, "citation"u8))
            {
                var citation = JsonReading.Raw(ref mark, delta);
                block.Fields.MergeObject([.. "{\"citations\":["u8, .. citation, .. "]}"u8]);
                return;
            }
            mark.Skip();
        }
        block.Fields.Merge(ref reader, delta, MergedShape.Plain);
    }

    /// <summary>The message so far: JSON in UTF-8 whatever has come.</summary>
    public byte[] ToArray()
    {
        var writer = new ArrayBufferWriter<byte>(1024);
        writer.Write("{"u8);
        WriteMembers(writer, isBefore: true);
        writer.Write("\"content\":["u8);
        for (var i = 0; i < _blocks.Count; i++)
        {
            if (i > 0)
                writer.Write(","u8);
            _blocks[i].WriteTo(writer);
        }
        writer.Write("]"u8);
        WriteMembers(writer, isBefore: false);
        if (!_usage.IsNull)
        {
            writer.Write(",\"usage\":"u8);
            _usage.WriteTo(writer);
        }
        writer.Write("}"u8);
        return writer.WrittenSpan.ToArray();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _message.Dispose();
        _usage.Dispose();
        foreach (var block in _blocks)
            block.Dispose();
        _blocks.Clear();
    }

    // Behind the content stands what is known at the end.
    private void WriteMembers(ArrayBufferWriter<byte> writer, bool isBefore)
    {
        foreach (var member in _message.Members)
        {
            var isOfTheEnd = member.Name.AsSpan().StartsWith("stop_"u8);
            if (isOfTheEnd == isBefore)
                continue;
            if (!isBefore)
                writer.Write(","u8);
            member.WriteTo(writer);
            if (isBefore)
                writer.Write(","u8);
        }
    }

    private static void ReplaceMembers(MergedJson target, ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            var name = MergedJson.NameOf(ref reader);
            var value = JsonReading.Raw(ref reader, json);
            if (!value.SequenceEqual("null"u8))
                target.Replace(name, value);
        }
    }

    private Block BlockAt(int index)
    {
        var at = _blocks.Count;
        while (at > 0 && _blocks[at - 1].Index >= index)
            at--;
        if (at < _blocks.Count && _blocks[at].Index == index)
            return _blocks[at];
        // A provider that goes on inventing blocks cannot make each piece dearer than the one before.
        if (_blocks.Count == MergedJson.MaxEntries)
            return _blocks[^1];
        var added = new Block(index);
        _blocks.Insert(at, added);
        return added;
    }

    private sealed class Block(int index) : IDisposable
    {
        public PooledBytes Input;

        public int Index { get; } = index;

        public MergedJson Fields { get; } = new();

        public void WriteTo(IBufferWriter<byte> writer)
        {
            writer.Write("{"u8);
            var separator = default(ReadOnlySpan<byte>);
            foreach (var member in Fields.Members)
            {
                if (member.Is("input"u8) && Input.Length > 0)
                    continue;
                writer.Write(separator);
                separator = ","u8;
                member.WriteTo(writer);
            }
            if (Input.Length > 0)
            {
                writer.Write(separator);
                writer.Write("\"input\":"u8);
                writer.Write(JsonObjects.OfArguments(JsonText.Quote(Input.Span)));
            }
            writer.Write("}"u8);
        }

        public void Dispose()
        {
            Fields.Dispose();
            Input.Dispose();
        }
    }
}
