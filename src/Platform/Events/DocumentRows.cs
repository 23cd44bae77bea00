using Npgsql;

namespace Verbatim.Platform.Events;

/// <summary>Rows for one document table: of each document the last state that was set.</summary>
internal sealed class DocumentRows
{
    private readonly Dictionary<StreamKey, int> _indexes = [];
    private readonly List<Guid> _tenants = [];
    private readonly List<Guid> _ids = [];
    private readonly List<long> _versions = [];
    private readonly List<long> _positions = [];
    private readonly List<byte[]> _states = [];
    private bool _isOfSeveral;

    /// <summary>Set when all rows come from one append.</summary>
    public PendingAppend? OnlyAppend { get; private set; }

    public int Count => _ids.Count;

    public void Set(StreamKey document, long version, long position, byte[] json, PendingAppend? append = null)
    {
        _isOfSeveral |= OnlyAppend is not null && OnlyAppend != append;
        OnlyAppend = _isOfSeveral ? null : append;
        if (_indexes.TryGetValue(document, out var index))
        {
            _versions[index] = version;
            _positions[index] = position;
            _states[index] = json;
            return;
        }
        _indexes.Add(document, _ids.Count);
        _tenants.Add(document.TenantId);
        _ids.Add(document.StreamId);
        _versions.Add(version);
        _positions.Add(position);
        _states.Add(json);
    }

    /// <summary>The statement that inserts or replaces the rows.</summary>
    public NpgsqlBatchCommand Upsert(DocumentShape document)
    {
        var command = new NpgsqlBatchCommand(document.UpsertSql);
        command.Parameters.Add(new NpgsqlParameter<List<Guid>> { TypedValue = _tenants });
        command.Parameters.Add(new NpgsqlParameter<List<Guid>> { TypedValue = _ids });
        command.Parameters.Add(new NpgsqlParameter<List<long>> { TypedValue = _versions });
        command.Parameters.Add(new NpgsqlParameter<List<long>> { TypedValue = _positions });
        command.Parameters.Add(new NpgsqlParameter<List<byte[]>> { TypedValue = _states });
        return command;
    }
}
