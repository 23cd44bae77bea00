using Verbatim.Host;
using Verbatim.Modules.Audit;
using Verbatim.Modules.Gateway;
using Verbatim.Modules.Identity;
using Verbatim.Modules.Operations;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

try
{
    var isCommand = CommandLine.IsCommand(args);
    IModule[] modules = [new IdentityModule(), new GatewayModule(), new AuditModule(), new OperationsModule()];
    if (isCommand && await CommandLine.AnswerAsync(modules, args) is { } exitCode)
        return exitCode;

    var builder = CommandLine.CreateBuilder(args, isCommand);
    using var log = CommandLine.CreateLog(isCommand);
    await using var postgres = await PostgresServer.OpenAsync(
        builder.Configuration,
        mayShare: isCommand,
        log.CreateLogger<PostgresServer>(),
        CancellationToken.None
    );
    builder.AddModules(postgres.Database, modules);

    await using var app = builder.Build();
    await app.Services.MigrateAsync(CancellationToken.None);
    if (isCommand)
        return await CommandLine.RunAsync(app.Services, modules, args);

    await app.Services.RunStartupStepsAsync(CancellationToken.None);
    app.MapModules();
    CommandLine.AnnounceWhenReady(app);
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (CommandLine.Explain(e) is { } sentence)
{
    await Console.Error.WriteLineAsync(sentence);
    return 1;
}
