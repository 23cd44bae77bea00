using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Tests.Integration.Support;

/// <summary>
/// A database with the whole schema, for one test class (as its class fixture) or one test: copied from a template that is migrated
/// once.
/// </summary>
public sealed class MigratedDatabase(SharedPostgres server) : IAsyncLifetime
{
    private const string Template = "migrated_template";
    private static readonly SemaphoreSlim Gate = new(1);
    private static bool isTemplateMade;
    private static int count;

    /// <summary>The modules of the product, and one for the events and documents of these tests.</summary>
    internal static ModuleCatalog Modules { get; } =
        new([
            .. Assembly
                .Load("Verbatim.Host")
                .GetReferencedAssemblies()
                .Where(name => name.Name!.StartsWith("Verbatim.Modules.", StringComparison.Ordinal))
                .SelectMany(name => Assembly.Load(name).GetTypes())
                .Where(type => type is { IsAbstract: false } && type.IsAssignableTo(typeof(IModule)))
                .Select(type => (IModule)Activator.CreateInstance(type)!),
            new TestModule(),
        ]);

    public string ConnectionString { get; private set; } = "";

    public async ValueTask InitializeAsync() => ConnectionString = await CreateAsync(server);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Creates another one.</summary>
    internal static async Task<string> CreateAsync(SharedPostgres server)
    {
        await Gate.WaitAsync();
        try
        {
            if (!isTemplateMade)
            {
                await ExecuteAsync(server.ConnectionString, $"create database {Template}");
                await MigrateAsync(Of(server, Template));
                isTemplateMade = true;
            }
            // Under the gate: Postgres copies a template only while nobody else uses it.
            var name = $"migrated_{++count}";
            await ExecuteAsync(server.ConnectionString, $"create database {name} template {Template}");
            return Of(server, name);
        }
        finally
        {
            Gate.Release();
        }
    }

    internal static async Task MigrateAsync(string connectionString)
    {
        await using var database = new Database(connectionString);
        var documents = new DocumentCatalog(Modules.Assemblies, new EventCatalog(Modules.Assemblies));
        await new Migrator(database, Modules, documents, NullLogger<Migrator>.Instance).RunAsync(
            TestContext.Current.CancellationToken
        );
    }

    private static string Of(SharedPostgres server, string name) =>
        new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = name }.ConnectionString;

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create($"{connectionString};Pooling=false");
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private sealed class TestModule : IModule
    {
        public string Name => "test";

        public void Register(IServiceCollection services, IConfiguration configuration) { }
    }
}
