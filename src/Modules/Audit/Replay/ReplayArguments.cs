using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Verbatim.Modules.Audit.Changes;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Replay;

/// <summary>What a replay was asked for.</summary>
/// <param name="Stream">The beginning of the stream's id.</param>
/// <param name="AtVersion">Replay up to this version.</param>
/// <param name="At">Replay up to this instant.</param>
/// <param name="IsJson">One JSON object a line instead of text.</param>
/// <param name="IsFull">Nothing is cut.</param>
internal sealed record ReplayArguments(StreamPrefix Stream, long? AtVersion, Instant? At, bool IsJson, bool IsFull)
{
    public const string Usage = "<stream> [--at <version|time>] [--full] [--json]";

    /// <exception cref="CommandUsageException">They are wrong.</exception>
    public static ReplayArguments Parse(IReadOnlyList<string> arguments)
    {
        string? stream = null;
        string? at = null;
        var isJson = false;
        var isFull = false;
        for (var i = 0; i < arguments.Count; i++)
        {
            switch (arguments[i])
            {
                case "--json":
                    isJson = true;
                    break;
                case "--full":
                    isFull = true;
                    break;
                case "--at" when at is not null:
                    throw new CommandUsageException("--at is given twice.");
                case "--at" when i + 1 < arguments.Count:
                    at = arguments[++i];
                    break;
                case "--at":
                    throw new CommandUsageException("--at needs a version or a time behind it.");
                case ['-', ..] option:
                    throw new CommandUsageException($"There is no option '{Printable.Line(option)}'.");
                case var word when stream is not null:
                    throw new CommandUsageException($"One stream at a time: '{Printable.Line(word)}' is too much.");
                case var word:
                    stream = word;
                    break;
            }
        }

        if (stream is null)
            throw new CommandUsageException("Which stream? Give its id, or the beginning of it.");
        if (!StreamPrefix.TryParse(stream, out var prefix))
            throw new CommandUsageException(
                $"'{Printable.Line(stream)}' is not a stream's id nor the beginning of one, of {StreamPrefix.MinDigits} hexadecimal digits or more."
            );
        if (at is null)
            return new ReplayArguments(prefix, null, null, isJson, isFull);
        if (long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version > 0)
            return new ReplayArguments(prefix, version, null, isJson, isFull);
        return Instant.TryParse(at, out var instant)
            ? new ReplayArguments(prefix, null, instant, isJson, isFull)
            : throw new CommandUsageException(
                $"--at takes a version (1, 2 …) or an RFC 3339 time (2026-01-31T12:00:00Z), not '{Printable.Line(at)}'."
            );
    }
}

/// <summary>The beginning of a stream's id, as the range of ids that begin so.</summary>
/// <param name="Digits">Its hexadecimal digits, lower case, without hyphens.</param>
internal sealed record StreamPrefix(string Digits)
{
    /// <summary>Fewer would rarely be enough, and would have the server read much.</summary>
    public const int MinDigits = 8;

    private const int Digits128 = 32;

    /// <summary>The first id that begins so.</summary>
    public Guid First => Guid.ParseExact(Digits.PadRight(Digits128, '0'), "N");

    /// <summary>The last.</summary>
    public Guid Last => Guid.ParseExact(Digits.PadRight(Digits128, 'f'), "N");

    public static bool TryParse(string text, [NotNullWhen(true)] out StreamPrefix? prefix)
    {
        var digits = text.Replace("-", "", StringComparison.Ordinal);
        prefix =
            digits.Length is >= MinDigits and <= Digits128 && digits.All(char.IsAsciiHexDigit)
                ? new StreamPrefix(digits.ToLowerInvariant())
                : null;
        return prefix is not null;
    }
}
