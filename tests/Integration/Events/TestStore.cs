using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Events;

/// <summary>One instance's store on a database: its own writer, its own caches.</summary>
internal sealed class TestStore : IAsyncDisposable
{
    private readonly LogWriter _writer;

    public TestStore(
        string connectionString,
        TimeSpan? patience = null,
        TimeProvider? time = null,
        ILogger<LogWriter>? logger = null,
        RecentEvents? recent = null,
        TimeProvider? keyTime = null
    )
    {
        Recent = recent ?? new RecentEvents(TimeProvider.System);
        Database = new Database(connectionString);
        Catalog = new EventCatalog(MigratedDatabase.Modules.Assemblies);
        DocumentTypes = new DocumentCatalog(MigratedDatabase.Modules.Assemblies, Catalog);
        Reader = new LogReader(Database);
        _writer = new LogWriter(
            () => new LogConnection(Database.Dedicated),
            Signal,
            Recent,
            time ?? TimeProvider.System,
            logger ?? NullLogger<LogWriter>.Instance,
            patience ?? TimeSpan.FromSeconds(15)
        );
        Keys = new SubjectKeys(
            Database,
            MasterKey,
            keyTime ?? TimeProvider.System,
            patience ?? TimeSpan.FromSeconds(15)
        );
        Events = new EventStore(Catalog, DocumentTypes, Keys, _writer, Reader);
        Opener = new EventReader(Catalog, Keys);
        Documents = new DocumentStore(Database, Events, DocumentTypes);
    }

    public static AppendContext Context { get; } = NewContext();

    public Database Database { get; }

    public EventCatalog Catalog { get; }

    public DocumentCatalog DocumentTypes { get; }

    /// <summary>One for all stores, as instances on one database share it.</summary>
    public static MasterKey MasterKey { get; } = MasterKey.Of(new byte[32]);

    public SubjectKeys Keys { get; }

    public EventReader Opener { get; }

    public LogReader Reader { get; }

    public LogSignal Signal { get; } = new();

    public RecentEvents Recent { get; }

    public EventStore Events { get; }

    public DocumentStore Documents { get; }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static AppendContext NewContext() => new(Guid.CreateVersion7(), "system:test", "r-1");

    public int WaitingCount => _writer.WaitingCount;

    /// <summary>Ends the writer; readers go on.</summary>
    public ValueTask StopWritingAsync() => _writer.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        await Database.DisposeAsync();
    }

    public Task<AppendResult> AppendAsync(Guid id, long expected, params IReadOnlyList<IEvent> events) =>
        AppendAsync(Context, id, expected, events);

    public Task<AppendResult> AppendAsync(
        AppendContext context,
        Guid id,
        long expected,
        params IReadOnlyList<IEvent> events
    ) => Events.AppendAsync(context, new StreamEvents("test-plain", id, expected, events), Cancelled);

    public Task<Outcome<Tally>> CountAsync(Guid id, int by = 1, AppendContext? context = null) =>
        Documents.DecideAsync<Tally>(context ?? Context, id, _ => Decision.Append(new Counted(by)), Cancelled);

    public async Task<List<RecordedEvent>> ReadAsync(Guid id, Guid? tenant = null) =>
        await Events.ReadStreamAsync(tenant ?? Context.TenantId, id, 1, Cancelled).ToListAsync(Cancelled);

    public async Task<List<RecordedEvent>> ReadAllAsync(long after = 0) =>
        await Events.ReadAllAsync(after, Cancelled).ToListAsync(Cancelled);

    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var command = Database.Writes.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Cancelled))!;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Database.Writes.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancelled);
    }

    /// <summary>Another session that holds the log's lock until it is disposed.</summary>
    public async Task<NpgsqlConnection> LockLogAsync()
    {
        var connection = await Database.Dedicated.OpenConnectionAsync(Cancelled);
        await using var command = new NpgsqlCommand("begin; select from platform.sequencer for update", connection);
        await command.ExecuteNonQueryAsync(Cancelled);
        return connection;
    }
}
