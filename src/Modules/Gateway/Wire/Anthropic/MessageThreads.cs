namespace Verbatim.Modules.Gateway.Wire.Anthropic;

/// <summary>
/// Conversations that Anthropic keeps, so that a request has only what is new (beta <c>message-threads-2026-08-12</c>). They are refused in the way in
/// which Anthropic's own clients go on without them: with the whole conversation in each request.
/// </summary>
internal static class MessageThreads
{
    /// <summary>
    /// The provider knows a thread by the credential that all callers share, so one could continue another's; and what a record has would not be
    /// what the model was told.
    /// </summary>
    public static readonly WireError Refusal = new(
        400,
        "'thread' is not taken here: a conversation that the provider keeps belongs to whoever has its credential, and that is not you alone. Send the whole conversation in 'messages'; Anthropic's tool runners do so by themselves.",
        "thread",
        "thread_unsupported_request"
    )
    {
        // What the clients look for (@anthropic-ai/sdk 1.12.0, lib/internal/threads/ThreadState).
        Details = """{"error_code":"thread_unsupported_request","unsupported":["thread"]}"""u8.ToArray(),
    };

    /// <summary>Refuses a request that names a thread.</summary>
    public static Task<Inferences.PreparedCall?> PrepareAsync(WireRequest request, Inferences.IAnswerSink sink) =>
        request.NamesThread ? RefuseAsync(sink) : Task.FromResult<Inferences.PreparedCall?>(new(request));

    private static async Task<Inferences.PreparedCall?> RefuseAsync(Inferences.IAnswerSink sink)
    {
        await sink.FailAsync(Refusal);
        return null;
    }
}
