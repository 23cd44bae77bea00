using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// Remembers tokens whose signature and claims were found good with a key set, under their digest. Looking one up
/// costs a hash instead of a verification, which alone would cost more than relaying a request. Only good tokens get
/// in, so nobody can push others out with forgeries; replacing the key set forgets everything.
/// </summary>
internal sealed class VerifiedTokens
{
    /// <summary>
    /// Two generations of this size bound the memory to a few megabytes: a full young one becomes the old one, whose
    /// entries come back when they are used.
    /// </summary>
    public const int GenerationSize = 4096;

    private Generations? _generations;

    /// <summary>Finds a token that was found good with exactly this key set.</summary>
    public bool TryGet(TokenDigest digest, JsonWebKeySet keys, [NotNullWhen(true)] out AccessToken? token)
    {
        token = null;
        var generations = Volatile.Read(ref _generations);
        if (generations is null || !ReferenceEquals(generations.Keys, keys))
            return false;
        if (generations.Young.TryGetValue(digest, out token))
            return true;
        if (generations.Old is null || !generations.Old.TryGetValue(digest, out token))
            return false;

        Add(digest, keys, token);
        return true;
    }

    /// <summary>Remembers a token that was found good with this key set.</summary>
    public void Add(TokenDigest digest, JsonWebKeySet keys, AccessToken token)
    {
        var generations = Volatile.Read(ref _generations);
        if (generations is null || !ReferenceEquals(generations.Keys, keys))
            generations = Replace(generations, new Generations(keys, old: null));
        else if (generations.IsFull)
            generations = Replace(generations, new Generations(keys, generations.Young));

        // Another thread may have put a newer key set in place; then this token is simply not remembered.
        if (ReferenceEquals(generations.Keys, keys))
            generations.Add(digest, token);
    }

    private Generations Replace(Generations? expected, Generations next)
    {
        var actual = Interlocked.CompareExchange(ref _generations, next, expected);
        return ReferenceEquals(actual, expected) ? next : actual!;
    }

    private sealed class Generations(JsonWebKeySet keys, ConcurrentDictionary<TokenDigest, AccessToken>? old)
    {
        // ConcurrentDictionary.Count takes every lock.
        private int _count;

        public JsonWebKeySet Keys => keys;

        public ConcurrentDictionary<TokenDigest, AccessToken> Young { get; } = new();

        public ConcurrentDictionary<TokenDigest, AccessToken>? Old => old;

        public bool IsFull => Volatile.Read(ref _count) >= GenerationSize;

        public void Add(TokenDigest digest, AccessToken token)
        {
            if (Young.TryAdd(digest, token))
                Interlocked.Increment(ref _count);
        }
    }
}
