namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>A try that had begun came to a bad end.</summary>
internal sealed class AttemptException(AttemptFailure failure) : Exception(failure.Message)
{
    /// <summary>What happened.</summary>
    public AttemptFailure Failure { get; } = failure;
}
