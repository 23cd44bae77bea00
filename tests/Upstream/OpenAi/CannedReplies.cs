namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>
/// Keeps replies that do not depend on the prompt, so that load is answered from memory. A fixed number of them: what
/// comes after is built anew each time.
/// </summary>
internal sealed class CannedReplies
{
    private const int Capacity = 64;

    private readonly Lock _lock = new();
    private readonly Entry?[] _entries = new Entry?[Capacity];

    public Reply? Find(ChatRequest request)
    {
        foreach (var entry in _entries)
        {
            if (entry is null)
                return null;
            if (entry.Answers(request))
                return entry.Reply;
        }

        return null;
    }

    public void Keep(ChatRequest request, Reply reply)
    {
        if (reply.Commands.DependsOnTheRequest)
            return;
        lock (_lock)
        {
            var free = Array.IndexOf(_entries, null);
            if (free >= 0 && Find(request) is null)
                Volatile.Write(ref _entries[free], new Entry(request, reply));
        }
    }

    private sealed class Entry(ChatRequest request, Reply reply)
    {
        private readonly byte[] _model = request.Model.ToArray();
        private readonly byte[] _commands = request.Commands.ToArray();
        private readonly (bool, bool, bool, int) _options = Options(request);

        public Reply Reply { get; } = reply;

        public bool Answers(ChatRequest request) =>
            _options == Options(request)
            && request.Model.SequenceEqual(_model)
            && request.Commands.SequenceEqual(_commands);

        private static (bool, bool, bool, int) Options(ChatRequest request) =>
            (request.IsStream, request.IncludeUsage, request.IncludeObfuscation, request.Choices);
    }
}
