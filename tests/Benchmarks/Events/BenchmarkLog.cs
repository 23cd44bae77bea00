using Microsoft.Extensions.Logging.Abstractions;
using Verbatim.Modules.Audit;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Postgres.Embedded;
using Verbatim.Platform.Secrets;

namespace Verbatim.Tests.Benchmarks.Events;

/// <summary>An event of about 700 bytes in the log, as a short model call is.</summary>
[EventType("benchmark.happened")]
internal sealed record Happened(string Model, int Attempt, double Seconds, string Text) : IEvent
{
    public static Happened Sample { get; } = new("simulator", 1, 0.25, new string('x', 600));
}

/// <summary>The same event in a document that keeps a row.</summary>
[StreamType("benchmark-inline", Owner = DocumentOwner.Organization)]
internal sealed record InlineDocument(string Model, string Text) : IDocument<InlineDocument>
{
    public static InlineDocument Evolve(InlineDocument? current, IEvent @event) =>
        @event is Happened happened
            ? new InlineDocument(happened.Model, happened.Text)
            : throw new UnexpectedEventException(typeof(InlineDocument), @event);
}

/// <summary>And in one that keeps none.</summary>
[StreamType("benchmark-folded", Owner = DocumentOwner.Organization, Snapshot = SnapshotKind.Folded)]
internal sealed record FoldedDocument(string Model, string Text) : IDocument<FoldedDocument>
{
    public static FoldedDocument Evolve(FoldedDocument? current, IEvent @event) =>
        @event is Happened happened
            ? new FoldedDocument(happened.Model, happened.Text)
            : throw new UnexpectedEventException(typeof(FoldedDocument), @event);
}

/// <summary>A private Postgres with the schema, and instances of the store on it.</summary>
internal sealed class BenchmarkLog : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<Instance> _instances = [];
    private EmbeddedPostgres? _server;

    /// <summary>The database, as the role that owns it.</summary>
    public string ConnectionString { get; private set; } = "";

    public static async Task<BenchmarkLog> StartAsync()
    {
        var log = new BenchmarkLog();
        log._server = await EmbeddedPostgres.StartAsync(new EmbeddedPostgresOptions { Home = log._folder.Home });
        log.ConnectionString = log._server.ConnectionString;
        var instance = log.NewInstance();
        await new Migrator(
            instance.Database,
            Instance.Modules,
            instance.DocumentTypes,
            NullLogger<Migrator>.Instance
        ).RunAsync(CancellationToken.None);
        return log;
    }

    /// <summary>One more instance of Verbatim, as far as the log is concerned.</summary>
    public Instance NewInstance()
    {
        var instance = new Instance(ConnectionString);
        _instances.Add(instance);
        return instance;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in _instances)
            await instance.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
        _folder.Dispose();
    }

    internal sealed class Instance : IAsyncDisposable
    {
        private readonly LogWriter _writer;

        public Instance(string connectionString)
        {
            Database = new Database(connectionString);
            Catalog = new EventCatalog(Modules.Assemblies);
            DocumentTypes = new DocumentCatalog(Modules.Assemblies, Catalog);
            _writer = new LogWriter(
                () => new LogConnection(Database.Dedicated),
                new LogSignal(),
                new RecentEvents(TimeProvider.System),
                TimeProvider.System,
                NullLogger<LogWriter>.Instance,
                TimeSpan.FromSeconds(15)
            );
            var keys = new SubjectKeys(
                Database,
                MasterKey.Of(new byte[32]),
                TimeProvider.System,
                TimeSpan.FromSeconds(15)
            );
            Events = new EventStore(Catalog, DocumentTypes, keys, _writer, new LogReader(Database));
            Documents = new DocumentStore(Database, Events, DocumentTypes);
            Reader = new EventReader(Catalog, keys);
        }

        public static ModuleCatalog Modules { get; } = new([new AuditModule(), new BenchmarkModule()]);

        public Database Database { get; }

        public EventCatalog Catalog { get; }

        public DocumentCatalog DocumentTypes { get; }

        public EventStore Events { get; }

        public EventReader Reader { get; }

        public DocumentStore Documents { get; }

        public async ValueTask DisposeAsync()
        {
            await _writer.DisposeAsync();
            await Database.DisposeAsync();
        }
    }

    private sealed class BenchmarkModule : IModule
    {
        public string Name => "benchmark";

        public void Register(
            Microsoft.Extensions.DependencyInjection.IServiceCollection services,
            Microsoft.Extensions.Configuration.IConfiguration configuration
        ) { }
    }
}
