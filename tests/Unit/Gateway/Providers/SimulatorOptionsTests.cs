using System.Globalization;
using Verbatim.Modules.Gateway.Providers.Simulator;

namespace Verbatim.Tests.Unit.Gateway.Providers;

public sealed class SimulatorOptionsTests
{
    [Fact]
    public void Without_a_colon_there_are_no_options() => Assert.Same(SimulatorOptions.Default, Parse("simulator"));

    [Fact]
    public void All_options_are_read()
    {
        var options = Parse(
            "simulator:delay=250ms,chunk-delay=2s,chunks=50,status=429,retry-after=2,cut-after=3,stall-after=4,error-after=5,tool=get_weather+get-time,no-usage"
        );

        Assert.Equal(TimeSpan.FromMilliseconds(250), options.Delay);
        Assert.Equal(TimeSpan.FromSeconds(2), options.ChunkDelay);
        Assert.Equal(50, options.Chunks);
        Assert.Equal(429, options.Status);
        Assert.Equal(2, options.RetryAfter);
        Assert.Equal(3, options.CutAfter);
        Assert.Equal(4, options.StallAfter);
        Assert.Equal(5, options.ErrorAfter);
        Assert.Equal(["get_weather", "get-time"], options.Tools, StringComparer.Ordinal);
        Assert.True(options.NoUsage);
    }

    [Theory]
    [InlineData("simulator:speed=9", "no option 'speed'")]
    [InlineData("simulator:", "no option ''")]
    [InlineData("simulator:chunks=5,", "no option ''")]
    [InlineData("simulator:Chunks=5", "no option 'Chunks'")]
    [InlineData("simulator: chunks=5", "no option ' chunks'")]
    public void An_unknown_option_is_named_together_with_those_that_there_are(string model, string message)
    {
        var error = Refuse(model);

        Assert.Contains(message, error, StringComparison.Ordinal);
        foreach (
            var option in (string[])
                [
                    "chunk-delay",
                    "chunks",
                    "cut-after",
                    "delay",
                    "error-after",
                    "no-usage",
                    "retry-after",
                    "stall-after",
                    "status",
                    "tool",
                ]
        )
            Assert.Contains(option, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("delay", "'delay' needs a value")]
    [InlineData("delay=250", "'delay' cannot be '250'")]
    [InlineData("delay=-1ms", "'delay' cannot be '-1ms'")]
    [InlineData("delay=11m", "'delay' cannot be '11m'")]
    [InlineData("delay=601s", "'delay' cannot be '601s'")]
    [InlineData("chunk-delay=1.5s", "'chunk-delay' cannot be '1.5s'")]
    [InlineData("chunks=0", "'chunks' cannot be '0'")]
    [InlineData("chunks=10001", "'chunks' cannot be '10001'")]
    [InlineData("chunks=1e3", "'chunks' cannot be '1e3'")]
    [InlineData("chunks=", "'chunks' cannot be ''")]
    [InlineData("chunks=5=6", "'chunks' cannot be '5=6'")]
    [InlineData("status=200", "'status' cannot be '200'")]
    [InlineData("status=600", "'status' cannot be '600'")]
    [InlineData("status=429,retry-after=soon", "'retry-after' cannot be 'soon'")]
    [InlineData("retry-after=2", "'retry-after' goes with 'status'")]
    [InlineData("cut-after=-1", "'cut-after' cannot be '-1'")]
    [InlineData("stall-after=99999999999", "'stall-after' cannot be '99999999999'")]
    [InlineData("error-after", "'error-after' needs a value")]
    [InlineData("no-usage=true", "'no-usage' takes no value")]
    [InlineData("tool=", "'tool' cannot be ''")]
    [InlineData("tool=a+", "'tool' cannot be 'a+'")]
    [InlineData("tool=get weather", "'tool' cannot be 'get weather'")]
    [InlineData("tool=a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a", "'tool' cannot be")]
    [InlineData("chunks=5,chunks=5", "'chunks' is given more than once")]
    public void A_wrong_value_is_named(string options, string message) =>
        Assert.Contains(message, Refuse("simulator:" + options), StringComparison.Ordinal);

    [Theory]
    [InlineData("delay=0ms,chunks=1,status=400")]
    [InlineData("delay=600s,chunks=10000,status=599,retry-after=0")]
    [InlineData("cut-after=0,stall-after=2147483647")]
    public void The_limits_themselves_are_valid(string options) => Parse("simulator:" + options);

    [Fact]
    public void The_page_about_the_simulator_names_every_option()
    {
        var page = File.ReadAllText(Path.Combine(Root(), "docs", "simulator.md"));

        foreach (var option in SimulatorOptions.Known.Split(", "))
            Assert.Contains("`" + option, page, StringComparison.Ordinal);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Monolith.sln")))
            folder =
                folder.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        return folder.FullName;
    }

    private static SimulatorOptions Parse(string model)
    {
        Assert.True(SimulatorOptions.TryParse(model, out var options, out var error), error);
        Assert.Null(error);
        return options;
    }

    private static string Refuse(string model)
    {
        Assert.False(SimulatorOptions.TryParse(model, out var options, out var error));
        Assert.Null(options);
        return string.Create(CultureInfo.InvariantCulture, $"{error}");
    }
}
