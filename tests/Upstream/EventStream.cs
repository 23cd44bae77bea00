using System.Text;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream;

/// <summary>
/// Frames the events of a stream (WHATWG HTML, 9.2), with the variants of the format that a correct reader accepts.
/// </summary>
internal sealed class EventStream(CommandSet commands)
{
    public const string ContentType = "text/event-stream; charset=utf-8";

    private readonly List<Part> _parts = [];

    /// <summary>A comment that stands twice before the first event, as from one who waits for another.</summary>
    public string? LeadingComment { get; set; }

    public int Count => _parts.Count;

    public Part[] Parts => [.. _parts];

    /// <summary>Adds one event with placeholders of ids and times in it, with a name where the dialect names its events.</summary>
    public void Add(ReadOnlySpan<byte> data, string? name = null)
    {
        var framed = new MemoryStream();
        if (_parts.Count is 0 && commands.Bom)
            framed.Write([0xEF, 0xBB, 0xBF]);
        if (_parts.Count is 0 && LeadingComment is { } leading)
        {
            Comment(framed, leading);
            Comment(framed, leading);
        }

        if (commands.Comment is { } comment)
            Comment(framed, comment);

        if (name is not null)
        {
            framed.Write(Encoding.UTF8.GetBytes(commands.Space ? "event: " : "event:"));
            framed.Write(Encoding.UTF8.GetBytes(name));
            EndLine(framed);
        }

        var field = commands.Space ? "data: "u8 : "data:"u8;
        // Two data lines are one event with a line feed between them, where JSON allows white space after a comma.
        var split = commands.Multiline ? data.IndexOf(",\""u8) + 1 : 0;
        if (split > 0)
        {
            framed.Write(field);
            framed.Write(data[..split]);
            EndLine(framed);
        }

        framed.Write(field);
        framed.Write(data[split..]);
        EndLine(framed);
        EndLine(framed);
        _parts.Add(Part.Stamped(framed.ToArray()));
    }

    /// <summary>Refuses a command that names a place behind the end of the events so far.</summary>
    public void CheckReached(string command, int events)
    {
        if (events > _parts.Count)
        {
            throw new WrongCommandException(
                command,
                $"The command '{command}' names the position {events}, but the answer has {_parts.Count} events."
            );
        }
    }

    /// <summary>Drops what follows the first so many events.</summary>
    public void Truncate(int count) => _parts.RemoveRange(count, _parts.Count - count);

    /// <summary>Moves the last event to a place before it.</summary>
    public void MoveLastTo(int index)
    {
        var last = _parts[^1];
        _parts.RemoveAt(_parts.Count - 1);
        _parts.Insert(index, last);
    }

    private void Comment(MemoryStream framed, string comment)
    {
        framed.Write(Encoding.UTF8.GetBytes($": {comment}"));
        EndLine(framed);
        EndLine(framed);
    }

    private void EndLine(MemoryStream framed) =>
        framed.Write(
            commands.LineEnding switch
            {
                LineEnding.Lf => "\n"u8,
                LineEnding.CrLf => "\r\n"u8,
                LineEnding.Cr => "\r"u8,
                _ => throw new InvalidOperationException($"no such line ending: {commands.LineEnding}"),
            }
        );
}
