using System.Globalization;
using System.Text.Json;
using Verbatim.Modules.Audit.Changes;
using Verbatim.Modules.Audit.Streams;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Audit.Replay;

/// <summary>A replay for a person at a terminal.</summary>
internal sealed class TextReplay : IReplayWriter
{
    private const int Indent = 3;
    private const int MinValueWidth = 24;

    private readonly TextWriter _output;
    private readonly StyledWriter _text;
    private readonly JsonText _json;
    private DateTimeOffset? _began;
    private StateStep? _last;
    private string? _fault;

    public TextReplay(TextWriter output, Terminal terminal, bool isFull)
    {
        _output = output;
        _text = new StyledWriter(terminal);
        _json = new JsonText(_text, isFull);
    }

    public async Task BeginAsync(FoundStream stream, long shown, long version, bool hasDocument)
    {
        _text
            .Write($"{Printable.Line(stream.StreamType)} {stream.StreamId}", Style.Heading)
            .EndLine()
            .Write(
                shown == version ? Text($"{Events(version)}") : Text($"the first {shown} of {Events(version)}"),
                Style.Faint
            )
            .Write($", organization {stream.TenantId}", Style.Faint);
        if (!hasDocument)
            _text.Write(", without a document", Style.Faint);
        _text.EndLine();
        await FlushAsync();
    }

    public async Task WriteAsync(FoundStream stream, StateStep step)
    {
        var recorded = step.Event;
        _began ??= recorded.Time;
        WriteHeading(recorded, recorded.Time - _began.Value);
        if (!step.IsIntact)
            _text
                .MoveTo(Indent)
                .Write("NOT INTACT: this event does not have the leaf hash that is stored with it.", Style.Alarm)
                .EndLine();
        using var data = JsonLook.TryParse(step.Data.Utf8);
        if (data is not null)
            _json.Write(data.RootElement, Indent);
        else
            _text.MoveTo(Indent).Write("The stored data is not JSON.", Style.Alarm).EndLine();
        WriteChanges(step, data?.RootElement ?? default);
        _last = step;
        await FlushAsync();
    }

    public async Task EndAsync()
    {
        if (_last?.State is { } state)
        {
            foreach (var (name, value, description) in StateWords.Of(state))
            {
                _text.EndLine().Write(name, Style.Key).Write(": ").Write(value, Style.Heading);
                foreach (var line in Printable.Wrap(description, _text.Width - Indent))
                    _text.EndLine().MoveTo(Indent).Write(line);
                _text.EndLine();
            }
        }
        if (_json.HasCut)
            _text
                .EndLine()
                .Write("Long texts and lists are cut; --full shows all, --json the exact record.", Style.Faint)
                .EndLine();
        await FlushAsync();
    }

    private void WriteHeading(RecordedEvent recorded, TimeSpan passed)
    {
        _text
            .EndLine()
            .Write(Text($"{recorded.Version}"), Style.Heading)
            .MoveTo(Indent - 1)
            .Write(" ")
            .Write(Printable.Line(recorded.Type), Style.Heading);
        if (recorded.TypeVersion != 1)
            _text.Write(Text($" (shape {recorded.TypeVersion})"), Style.Faint);
        _text
            .EndLine()
            .MoveTo(Indent)
            .Write(Text($"{Times.Of(recorded.Time)}  {Times.Offset(passed)}"))
            .EndLine()
            .MoveTo(Indent)
            .Write($"by {Printable.Line(recorded.Actor)}", Style.Faint);
        if (recorded.Correlation.Length > 0)
            _text.Write($", request {Printable.Line(recorded.Correlation)}", Style.Faint);
        _text.Write(Text($", position {recorded.Position}"), Style.Faint).EndLine();
    }

    private void WriteChanges(StateStep step, JsonElement data)
    {
        if (step.Fault is { } fault)
        {
            // Told once: it holds for all that follows.
            if (_fault is null)
                foreach (
                    var line in Printable.Wrap($"From here on there is no state. {fault.Message}", _text.Width - Indent)
                )
                    _text.MoveTo(Indent).Write(line, Style.Alarm).EndLine();
            _fault = fault.Message;
            return;
        }
        if (step.After is not { } after)
            return;

        using var now = JsonDocument.Parse(after.Utf8, JsonLook.Options);
        using var before = step.Before is { } was ? JsonDocument.Parse(was.Utf8, JsonLook.Options) : null;
        var changes = StateDiff.Between(before?.RootElement, now.RootElement).ToList();
        _text.MoveTo(Indent).Write(changes.Count > 0 ? "state" : "state unchanged", Style.Faint).EndLine();
        foreach (var change in changes)
            WriteChange(change, data);
    }

    private void WriteChange(StateChange change, JsonElement data)
    {
        var (mark, style) = change.Kind switch
        {
            ChangeKind.Added => ("+", Style.Added),
            ChangeKind.Changed => ("~", Style.Changed),
            ChangeKind.Removed => ("-", Style.Removed),
            _ => throw new ArgumentOutOfRangeException(nameof(change), change.Kind, "Not a kind of change."),
        };
        _text.MoveTo(Indent).Write($"{mark} {change.Place}", style).Write(": ");
        var room = Math.Max(MinValueWidth, _text.Width - _text.Column);
        if (change.Kind == ChangeKind.Added && JsonLook.LengthOf(change.After) > room && IsIn(data, change.After))
        {
            _text.Write("as above", Style.Faint).EndLine();
            return;
        }
        _text
            .Write(
                change.Kind switch
                {
                    ChangeKind.Added => JsonLook.Compact(change.After, room),
                    ChangeKind.Removed => JsonLook.Compact(change.Before, room),
                    _ => ChangeText(change, room),
                }
            )
            .EndLine();
    }

    private static bool IsIn(JsonElement data, JsonElement value) =>
        data.ValueKind == JsonValueKind.Object && data.EnumerateObject().Any(p => JsonLook.IsSame(p.Value, value));

    private static string ChangeText(StateChange change, int room)
    {
        const string Arrow = " → ";
        var before = JsonLook.Compact(change.Before, (room - Arrow.Length) / 2);
        return before + Arrow + JsonLook.Compact(change.After, room - Arrow.Length - Printable.WidthOf(before));
    }

    private static string Events(long count) => count == 1 ? "1 event" : Text($"{count} events");

    private async Task FlushAsync()
    {
        await _output.WriteAsync(_text.Take());
        await _output.FlushAsync();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
