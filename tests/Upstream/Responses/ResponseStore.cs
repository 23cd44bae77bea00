using System.Collections.Concurrent;

namespace Verbatim.Tests.Upstream.Responses;

/// <summary>The responses that may be asked for again, by their ids.</summary>
internal sealed class ResponseStore
{
    private readonly ConcurrentDictionary<string, StoredResponse> _responses = new(StringComparer.Ordinal);

    public StoredResponse? Find(string id) => _responses.GetValueOrDefault(id);

    public void Keep(string id, StoredResponse response) => _responses[id] = response;

    public bool Remove(string id) => _responses.TryRemove(id, out _);
}

/// <summary>One response, with the id and time it was answered with, and its events where it was a stream.</summary>
internal sealed class StoredResponse(ModelResponse response, Stamp stamp, Answer? stream, int polls)
{
    private readonly Lock _lock = new();
    private int _polls = polls;
    private bool _isCancelled;

    public ModelResponse Response => response;

    public Stamp Stamp => stamp;

    /// <summary>The events it was answered with; null when it was no stream.</summary>
    public Answer? Stream => stream;

    /// <summary>How it stands, and that it was looked at: a response in the background goes on by being asked for.</summary>
    public string Poll()
    {
        lock (_lock)
        {
            if (_isCancelled)
                return "cancelled";
            return _polls-- > 0 ? "in_progress" : response.EndStatus;
        }
    }

    /// <summary>Cancels it unless it has ended; says how it stands then.</summary>
    public string Cancel()
    {
        lock (_lock)
        {
            _isCancelled |= _polls > 0;
            return _isCancelled ? "cancelled" : response.EndStatus;
        }
    }
}
