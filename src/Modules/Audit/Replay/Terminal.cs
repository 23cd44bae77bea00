namespace Verbatim.Modules.Audit.Replay;

/// <summary>What the place where text goes can show.</summary>
/// <param name="Width">Columns.</param>
/// <param name="HasColor">It understands the colours of ECMA-48, and they are wanted.</param>
internal sealed record Terminal(int Width, bool HasColor)
{
    private const int DefaultWidth = 100;
    private const int MinWidth = 40;

    // Longer lines are hard to read.
    private const int MaxWidth = 140;

    /// <summary>What is behind a writer: a terminal only if it is the console's and the console is one.</summary>
    public static Terminal Of(TextWriter output)
    {
        if (!ReferenceEquals(output, Console.Out) || Console.IsOutputRedirected)
            return new Terminal(DefaultWidth, HasColor: false);
        return new Terminal(
            ReadWidth(),
            // https://no-color.org: any value but the empty one says no. A terminal called "dumb" knows no colours.
            string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
                && Environment.GetEnvironmentVariable("TERM") != "dumb"
        );
    }

    private static int ReadWidth()
    {
        try
        {
            // One that does not tell its size says 0.
            return Console.WindowWidth is > 0 and var width ? Math.Clamp(width, MinWidth, MaxWidth) : DefaultWidth;
        }
        catch (IOException)
        {
            return DefaultWidth;
        }
    }
}
