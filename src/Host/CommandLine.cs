using System.Reflection;
using Npgsql;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres.Embedded;

namespace Verbatim.Host;

/// <summary>The executable's words: no word serves, another is a command of a module.</summary>
internal static class CommandLine
{
    /// <summary>A first argument that is not an option names a command.</summary>
    public static bool IsCommand(string[] args) =>
        args is ["--help" or "-h", ..] || (args is [{ Length: > 0 } first, ..] && first[0] != '-' && first != "serve");

    /// <summary>The host that is to be built, with its settings and its log.</summary>
    public static WebApplicationBuilder CreateBuilder(string[] args, bool isCommand)
    {
        var builder = WebApplication.CreateBuilder(
            // The settings file lies beside the program, wherever it is called from.
            new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory }
        );
        ConfigureLogging(builder.Logging, isCommand);
        return builder;
    }

    /// <summary>The log of what happens before the host has one, and of the private Postgres, which outlives it.</summary>
    public static ILoggerFactory CreateLog(bool isCommand) =>
        LoggerFactory.Create(logging => ConfigureLogging(logging, isCommand));

    // A command's output is its own: there the log goes to the error stream, and only what matters.
    private static void ConfigureLogging(ILoggingBuilder logging, bool isCommand)
    {
        logging.ClearProviders();
        logging.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.TimestampFormat = "HH:mm:ss ";
        });
        if (isCommand)
        {
            logging.AddConsole(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
            logging.AddFilter(level => level >= LogLevel.Warning);
        }
    }

    /// <summary>Answers what needs no server: a question for help, and a name that is no command's.</summary>
    /// <returns>The exit code; null when there is a command to run.</returns>
    public static async Task<int?> AnswerAsync(IReadOnlyList<IModule> modules, string[] args)
    {
        var commands = CommandsOf(modules);
        var name = args[0].TrimStart('-');
        if (name is "help" or "h")
        {
            await WriteHelpAsync(Console.Out, commands);
            return 0;
        }
        if (!commands.TryGetValue(name, out var command))
        {
            await Console.Error.WriteLineAsync($"There is no command '{name}'.");
            await WriteHelpAsync(Console.Error, commands);
            return 2;
        }
        if (!args.Any(static a => a is "--help" or "-h"))
            return null;
        await Console.Out.WriteLineAsync(UsageOf(command.Call));
        await Console.Out.WriteLineAsync(command.Call.Summary);
        return 0;
    }

    /// <summary>Runs the command that the arguments name.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IServiceProvider services, IReadOnlyList<IModule> modules, string[] args)
    {
        var (call, type) = CommandsOf(modules)[args[0]];
        var command = (ICommand)services.GetRequiredService(type);
        using var interrupted = new CancellationTokenSource();
        ConsoleCancelEventHandler interrupt = (_, e) =>
        {
            e.Cancel = true;
            interrupted.Cancel();
        };
        Console.CancelKeyPress += interrupt;
        try
        {
            return await command.RunAsync(args[1..], Console.Out, interrupted.Token);
        }
        catch (CommandUsageException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            await Console.Error.WriteLineAsync(UsageOf(call));
            return 2;
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            return 130;
        }
        finally
        {
            Console.CancelKeyPress -= interrupt;
        }
    }

    /// <summary>Says where the server listens, as soon as it does.</summary>
    public static void AnnounceWhenReady(WebApplication app) =>
        app.Lifetime.ApplicationStarted.Register(() =>
            Console.Out.WriteLine(
                $"Verbatim is ready on {string.Join(", ", app.Urls)} (API reference at /docs). Ctrl+C stops it."
            )
        );

    /// <summary>The sentence for an error that a person can mend; null for a fault of ours, which deserves its stack trace.</summary>
    public static string? Explain(Exception exception) =>
        exception switch
        {
            SettingException or EmbeddedPostgresException or EmbeddedPostgresInUseException => exception.Message,
            NpgsqlException e =>
                $"Postgres refused or cannot be reached: {e.Message}. ConnectionStrings:Postgres says where it is.",
            IOException e when e.Message.StartsWith("Failed to bind", StringComparison.Ordinal) =>
                $"{e.Message} Choose another address with --urls.",
            _ => null,
        };

    private static SortedDictionary<string, (CommandAttribute Call, Type Type)> CommandsOf(
        IReadOnlyList<IModule> modules
    )
    {
        var commands = new SortedDictionary<string, (CommandAttribute, Type)>(StringComparer.Ordinal);
        foreach (var type in new ModuleCatalog(modules).TypesOf<ICommand>())
        {
            var call =
                type.GetCustomAttribute<CommandAttribute>()
                ?? throw new InvalidOperationException($"{type} lacks [Command].");
            commands.Add(call.Name, (call, type));
        }
        return commands;
    }

    private static string UsageOf(CommandAttribute call) => $"Usage: ./run {call.Name} {call.Usage}".TrimEnd();

    private static async Task WriteHelpAsync(
        TextWriter output,
        SortedDictionary<string, (CommandAttribute Call, Type Type)> commands
    )
    {
        await output.WriteLineAsync(
            "Usage: ./run [--urls http://localhost:8080] [--Section:Setting value …]    serves"
        );
        await output.WriteLineAsync("       ./run <command> …");
        await output.WriteLineAsync();
        foreach (var (call, _) in commands.Values)
        {
            await output.WriteLineAsync($"  {call.Name} {call.Usage}");
            await output.WriteLineAsync($"      {call.Summary}");
        }
    }
}
