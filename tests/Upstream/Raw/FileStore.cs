namespace Verbatim.Tests.Upstream.Raw;

/// <summary>The files that were sent, in their order.</summary>
internal sealed class FileStore
{
    private readonly Lock _lock = new();
    private readonly List<StoredFile> _files = [];

    /// <summary>Newest first.</summary>
    public List<StoredFile> All
    {
        get
        {
            lock (_lock)
                return [.. Enumerable.Reverse(_files)];
        }
    }

    public StoredFile? Find(string id)
    {
        lock (_lock)
            return _files.Find(file => string.Equals(file.Id, id, StringComparison.Ordinal));
    }

    public void Keep(StoredFile file)
    {
        lock (_lock)
            _files.Add(file);
    }

    public void Remove(StoredFile file)
    {
        lock (_lock)
            _files.Remove(file);
    }
}

/// <summary>A file, under the id that it was answered with.</summary>
internal sealed record StoredFile(string Id, string Purpose, FormFile File, long CreatedAt);
