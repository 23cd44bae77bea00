using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.Delivery;

internal enum Stop
{
    Hold,
    End,
    Stall,
    Close,
    Cut,
}

/// <summary>The places of an answer where something else happens than writing on, in their order.</summary>
internal sealed class StopPoints
{
    private readonly List<(Position At, Stop Stop)> _points;

    private StopPoints(List<(Position At, Stop Stop)> points) => _points = points;

    /// <summary>True when the connection is broken on purpose.</summary>
    public bool BreakTheConnection => _points.Exists(static point => point.Stop is Stop.Cut or Stop.Close);

    public static StopPoints Of(CommandSet commands)
    {
        var points = commands.HoldAfter.Select(static at => (at, Stop.Hold)).ToList();
        Add(commands.EndAfter, Stop.End);
        Add(commands.StallAfter, Stop.Stall);
        Add(commands.CloseAfter, Stop.Close);
        Add(commands.CutAfter, Stop.Cut);
        // Stable, so that an answer held and cut at one place is held first.
        return new StopPoints([.. points.OrderBy(static point => point.at.Order)]);

        void Add(Position? at, Stop stop)
        {
            if (at is not null)
                points.Add((at, stop));
        }
    }

    /// <summary>The stops at one place.</summary>
    public IEnumerable<Stop> At(Position position) =>
        _points.Where(point => point.At == position).Select(static point => point.Stop);

    /// <summary>The places inside the part with this index, as numbers of its bytes.</summary>
    public IEnumerable<int> Inside(int part) =>
        _points
            .Where(point => point.At.Events == part && point.At.Bytes > 0)
            .Select(static point => point.At.Bytes)
            .Distinct();

    /// <summary>
    /// Refuses a place that the answer does not reach: a test that asks for it would pass without its fault.
    /// </summary>
    public static void Check(CommandSet commands, Part[] parts)
    {
        foreach (var (at, stop) in Of(commands)._points)
        {
            var command = stop switch
            {
                Stop.Hold => "hold_after",
                Stop.End => "end_after",
                Stop.Stall => "stall_after",
                Stop.Close => "close_after",
                Stop.Cut => "cut_after",
                _ => throw new ArgumentOutOfRangeException(nameof(commands), stop, "no such stop"),
            };
            if (at.Events > parts.Length)
            {
                throw new WrongCommandException(
                    command,
                    $"The command '{command}' names the position {at}, but the answer has {parts.Length} events."
                );
            }

            if (at.Bytes > 0 && (at.Events == parts.Length || at.Bytes > parts[at.Events].Bytes.Length))
            {
                throw new WrongCommandException(
                    command,
                    $"The command '{command}' names the position {at}, which lies behind the end of that event."
                );
            }
        }
    }
}
