using System.Globalization;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Exports;

/// <summary>What <c>./run export</c> is asked for.</summary>
/// <param name="After">Only events behind this position.</param>
/// <param name="Path">The file; null for the standard output.</param>
/// <param name="TenantId">Only one organization.</param>
/// <param name="Events">Only chosen events; null for the whole log.</param>
internal sealed record ExportArguments(long After, string? Path, Guid? TenantId, ExportedEvents? Events)
{
    public const string Usage =
        "[--after <position>] [--output <file>] [--tenant <id>] [--type <event type>]… [--stream-type <type>] [--stream <id>] [--from <time>] [--to <time>] [--limit <events>]";

    /// <exception cref="CommandUsageException">The message says what is wrong.</exception>
    public static ExportArguments Read(IReadOnlyList<string> arguments)
    {
        var read = new ExportArguments(After: 0, Path: null, TenantId: null, Events: null);
        var types = new List<string>();
        for (var i = 0; i < arguments.Count; i += 2)
        {
            if (i + 1 == arguments.Count)
                throw new CommandUsageException($"'{arguments[i]}' needs a value, or is no option.");
            read = read.With(arguments[i], arguments[i + 1], types);
        }
        if (read is { Events: { From: { } from, Before: { } before } } && from >= before)
            throw new CommandUsageException("--to is an instant after --from.");
        return types.Count > 0 ? read with { Events = read.Chosen with { Types = types } } : read;
    }

    private ExportedEvents Chosen => Events ?? new ExportedEvents(null, null, null, null, null, null);

    private ExportArguments With(string option, string value, List<string> types)
    {
        switch (option)
        {
            case "--after":
                return this with { After = Number(option, value, min: 0) };
            case "--output":
                return this with { Path = value };
            case "--tenant":
                return this with { TenantId = Id(option, value), Events = Chosen };
            case "--type":
                types.Add(value);
                return this;
            case "--stream-type":
                return this with { Events = Chosen with { StreamType = value } };
            case "--stream":
                return this with { Events = Chosen with { StreamId = Id(option, value) } };
            case "--from":
                return this with { Events = Chosen with { From = Time(option, value) } };
            case "--to":
                return this with { Events = Chosen with { Before = Time(option, value) } };
            case "--limit":
                return this with { Events = Chosen with { Limit = Number(option, value, min: 1) } };
            default:
                throw new CommandUsageException($"There is no option '{option}'.");
        }
    }

    private static long Number(string option, string value, long min) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min
            ? number
            : throw new CommandUsageException(
                string.Create(CultureInfo.InvariantCulture, $"{option} is a number, {min} or more, and not '{value}'.")
            );

    private static Guid Id(string option, string value) =>
        Guid.TryParseExact(value, "D", out var id)
            ? id
            : throw new CommandUsageException($"{option} is a whole id, and not '{value}'.");

    // The first microsecond that is not before the instant, for both: "at or after" begins there, and "before" ends there.
    private static DateTimeOffset Time(string option, string value) =>
        Instant.TryParse(value, out var time)
            ? time.Ceiling
            : throw new CommandUsageException(
                $"{option} is an instant as RFC 3339 writes it, like 2026-01-31T12:00:00Z, and not '{value}'."
            );
}
