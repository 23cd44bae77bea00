namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>
/// How a deployment's own counts compare with the gateway's estimates: every model counts in its own way, and does so always alike. Learnt from calls whose
/// usage the provider told, and forgotten with the instance: some calls later it is known again.
/// </summary>
internal sealed class TokenScale
{
    // Of shorter texts most of what is counted is what the provider puts around them.
    private const long ShortestSample = 100;

    // What is believed before anything was seen: as many tokens as this, estimated rightly.
    private const double PriorTokens = 500;

    // What was learnt long ago counts less: some tens of thousands of tokens are remembered.
    private const double Memory = 50_000;
    private const double Least = 0.5;
    private const double Most = 2;

    // The first calls say most; later ones are looked at now and then, and the later the more seldom.
    private const long AtFirst = 32;
    private const long NowAndThen = 16;
    private const long AtLength = 4096;
    private const long Seldom = 128;

    private readonly Lock _gate = new();
    private double _estimated = PriorTokens;
    private double _counted = PriorTokens;
    private long _calls;

    /// <summary>Whether a call that ends now is to be learnt from.</summary>
    public bool WantsToLearn()
    {
        var call = Interlocked.Increment(ref _calls);
        return call <= AtFirst || call % (call <= AtLength ? NowAndThen : Seldom) == 0;
    }

    /// <summary>Learns from a text that the provider counted.</summary>
    /// <param name="estimated">What was estimated, without this scale.</param>
    /// <param name="counted">What the provider counted.</param>
    public void Learn(long estimated, long counted)
    {
        if (estimated < ShortestSample || counted < estimated * Least || counted > estimated * Most)
            return;
        lock (_gate)
        {
            var kept = Memory / (Memory + estimated);
            _estimated = (_estimated * kept) + estimated;
            _counted = (_counted * kept) + counted;
        }
    }

    /// <summary>An estimate, as the deployment would count it.</summary>
    public long Scale(long estimated)
    {
        lock (_gate)
            return (long)Math.Round(estimated * _counted / _estimated);
    }
}
