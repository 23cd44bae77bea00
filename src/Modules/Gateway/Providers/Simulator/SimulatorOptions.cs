using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Verbatim.Modules.Gateway.Providers.Simulator;

/// <summary>
/// What is asked of the simulator behind its name: <c>simulator:delay=250ms,chunks=50</c>. <c>docs/simulator.md</c> tells it to users.
/// <code>
/// model   = "simulator" [ ":" option *( "," option ) ]
/// option  = name [ "=" value ]
/// </code>
/// </summary>
internal sealed record SimulatorOptions
{
    /// <summary>The simulator without options.</summary>
    public static readonly SimulatorOptions Default = new();

    /// <summary>The options that there are, as a message names them.</summary>
    internal const string Known =
        "chunk-delay, chunks, cut-after, delay, error-after, no-usage, retry-after, stall-after, status, tool";

    private const int MaxChunks = 10_000;
    private const int MaxTools = 16;
    private const int MaxToolName = 64;
    private static readonly SearchValues<char> FunctionNameCharacters = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
    );
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(10);

    /// <summary>How long it waits before it answers anything.</summary>
    public TimeSpan Delay { get; private init; }

    /// <summary>How long it waits before each event of a stream but the first.</summary>
    public TimeSpan ChunkDelay { get; private init; }

    /// <summary>The number of words in the answer, and so of chunks with content in a stream; null for as many as it has to say.</summary>
    public int? Chunks { get; private init; }

    /// <summary>The status of the error that it answers with instead.</summary>
    public int? Status { get; private init; }

    /// <summary>The seconds in the error's <c>retry-after</c>.</summary>
    public int? RetryAfter { get; private init; }

    /// <summary>After how many events of a stream, or bytes of another answer, the connection breaks.</summary>
    public int? CutAfter { get; private init; }

    /// <summary>After how many events of a stream, or bytes of another answer, nothing comes any more.</summary>
    public int? StallAfter { get; private init; }

    /// <summary>After how many events of a stream an error comes in it.</summary>
    public int? ErrorAfter { get; private init; }

    /// <summary>It never says what the call used.</summary>
    public bool NoUsage { get; private init; }

    /// <summary>The functions that it calls, all at once.</summary>
    public IReadOnlyList<string> Tools { get; private init; } = [];

    /// <summary>Reads what follows the first colon of a model's name.</summary>
    /// <param name="model">The model's name with its options.</param>
    /// <param name="options">The options.</param>
    /// <param name="error">Why they are none: names the option and what is valid.</param>
    public static bool TryParse(
        string model,
        [NotNullWhen(true)] out SimulatorOptions? options,
        [NotNullWhen(false)] out string? error
    )
    {
        options = Default;
        error = null;
        var colon = model.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
            return true;

        var text = model.AsSpan(colon + 1);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var range in text.Split(','))
        {
            var option = text[range];
            var equals = option.IndexOf('=');
            var name = (equals < 0 ? option : option[..equals]).ToString();
            var value = equals < 0 ? null : option[(equals + 1)..].ToString();
            error = seen.Add(name)
                ? Apply(ref options, name, value)
                : $"The simulator's option '{name}' is given more than once.";
            if (error is not null)
            {
                options = null;
                return false;
            }
        }
        if (options is { RetryAfter: not null, Status: null })
        {
            options = null;
            error = "The simulator's option 'retry-after' goes with 'status', for instance status=429,retry-after=2.";
            return false;
        }
        return true;
    }

    /// <summary>Why the options do not go with an answer that is not streamed; null when they do.</summary>
    public string? WhyNotWithoutStream() =>
        this switch
        {
            { ChunkDelay.Ticks: > 0 } => StreamOnly("chunk-delay"),
            { ErrorAfter: not null } => StreamOnly("error-after"),
            _ => null,
        };

    private static string StreamOnly(string name) =>
        $"The simulator's option '{name}' is one for streams: send \"stream\": true.";

    private static string? Apply(ref SimulatorOptions options, string name, string? value)
    {
        switch (name)
        {
            case "delay" when TryReadDelay(value, out var delay):
                options = options with { Delay = delay };
                return null;
            case "chunk-delay" when TryReadDelay(value, out var delay):
                options = options with { ChunkDelay = delay };
                return null;
            case "delay" or "chunk-delay":
                return Invalid(name, value, "a time up to 10 minutes, for instance 250ms or 2s");
            case "chunks" when TryReadNumber(value, 1, MaxChunks, out var number):
                options = options with { Chunks = number };
                return null;
            case "chunks":
                return Invalid(name, value, "a number from 1 to 10000");
            case "status" when TryReadNumber(value, 400, 599, out var number):
                options = options with { Status = number };
                return null;
            case "status":
                return Invalid(name, value, "a status from 400 to 599");
            case "retry-after" when TryReadNumber(value, 0, 86_400, out var number):
                options = options with { RetryAfter = number };
                return null;
            case "retry-after":
                return Invalid(name, value, "a number of seconds from 0 to 86400");
            case "cut-after" when TryReadNumber(value, 0, int.MaxValue, out var number):
                options = options with { CutAfter = number };
                return null;
            case "stall-after" when TryReadNumber(value, 0, int.MaxValue, out var number):
                options = options with { StallAfter = number };
                return null;
            case "error-after" when TryReadNumber(value, 0, int.MaxValue, out var number):
                options = options with { ErrorAfter = number };
                return null;
            case "cut-after" or "stall-after" or "error-after":
                return Invalid(name, value, "a number from 0");
            case "no-usage" when value is null:
                options = options with { NoUsage = true };
                return null;
            case "no-usage":
                return "The simulator's option 'no-usage' takes no value.";
            case "tool" when TryReadTools(value, out var tools):
                options = options with { Tools = tools };
                return null;
            case "tool":
                return Invalid(
                    name,
                    value,
                    "up to 16 function names joined by '+', each of up to 64 letters, digits, '_' and '-', for instance get_weather+get_time"
                );
            default:
                return $"The simulator has no option '{name}'. Its options are: {Known}.";
        }
    }

    private static string Invalid(string name, string? value, string valid) =>
        value is null
            ? $"The simulator's option '{name}' needs a value: {valid}."
            : $"The simulator's option '{name}' cannot be '{value}': it is {valid}.";

    private static bool TryReadNumber(string? value, int least, int most, out int number) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out number)
        && number >= least
        && number <= most;

    private static bool TryReadDelay(string? value, out TimeSpan delay)
    {
        delay = default;
        if (value is null)
            return false;
        var isMilliseconds = value.EndsWith("ms", StringComparison.Ordinal);
        if (!isMilliseconds && !value.EndsWith('s'))
            return false;
        var digits = value[..^(isMilliseconds ? 2 : 1)];
        if (!TryReadNumber(digits, 0, (int)MaxDelay.TotalMilliseconds, out var number))
            return false;
        delay = isMilliseconds ? TimeSpan.FromMilliseconds(number) : TimeSpan.FromSeconds(number);
        return delay <= MaxDelay;
    }

    private static bool TryReadTools(string? value, out string[] tools)
    {
        tools = value?.Split('+') ?? [];
        return tools.Length is > 0 and <= MaxTools && Array.TrueForAll(tools, IsFunctionName);
    }

    /// <summary>OpenAI's reference, chat completions, tools: a-z, A-Z, 0-9, underscores and dashes, at most 64.</summary>
    internal static bool IsFunctionName(string name) =>
        name.Length is > 0 and <= MaxToolName && !name.AsSpan().ContainsAnyExcept(FunctionNameCharacters);
}
