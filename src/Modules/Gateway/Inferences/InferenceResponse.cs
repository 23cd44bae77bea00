using System.ComponentModel;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>A call with all that is on record about it.</summary>
/// <param name="Id">The call, and the stream of its events.</param>
/// <param name="StartedAt">When its intent was recorded: before anything was sent.</param>
/// <param name="EndedAt">When its outcome was recorded; null while it is under way.</param>
/// <param name="Status">What became of it.</param>
/// <param name="Wire">The wire that the caller spoke: <c>openai.chat-completions</c>.</param>
/// <param name="Model">The model's name as the caller wrote it.</param>
/// <param name="Deployment">Where it went in the end.</param>
/// <param name="Provider">What kind of provider that is.</param>
/// <param name="Stream">The answer was wanted as a stream.</param>
/// <param name="UserId">The person, service account or client behind the credential.</param>
/// <param name="ApiKeyId">The API key, if one was used.</param>
/// <param name="ProjectId">The project of the credential.</param>
/// <param name="ClientRequestId">The client's own id of the request.</param>
/// <param name="RequestId">The <c>x-request-id</c> of the request.</param>
/// <param name="Recording">Whether the bodies were kept, or digests of them only.</param>
/// <param name="Attempts">Every try at a provider, in their order; empty while it is under way.</param>
/// <param name="Usage">The tokens that were counted.</param>
/// <param name="Cost">What it cost, in US dollars.</param>
/// <param name="Latency">How long it took.</param>
/// <param name="Error">Why there is no full answer.</param>
/// <param name="RequestDigest">What identifies the request's body where it was not kept.</param>
/// <param name="Request">The request's body.</param>
/// <param name="ResponseDigest">What identifies the answer's body where it was not kept.</param>
/// <param name="Response">The answer's body.</param>
/// <param name="Events">Where its events are read.</param>
internal sealed record InferenceResponse(
    Guid Id,
    DateTime StartedAt,
    DateTime? EndedAt,
    InferenceStatus Status,
    string Wire,
    string Model,
    string Deployment,
    string Provider,
    bool Stream,
    Guid UserId,
    Guid? ApiKeyId,
    Guid? ProjectId,
    string? ClientRequestId,
    string RequestId,
    RecordingLevel Recording,
    IReadOnlyList<Attempt> Attempts,
    Usage? Usage,
    decimal? Cost,
    Latency? Latency,
    InferenceError? Error,
    BodyDigest? RequestDigest,
    [property: Description(
        "The request as it came. Null where it was not kept or not asked for; `[erased]` for a person who was erased."
    )]
        RawJson? Request,
    BodyDigest? ResponseDigest,
    [property: Description(
        "The answer in the caller's wire; of a stream, put together. Null where there is none, or it was not kept or not asked for."
    )]
        RawJson? Response,
    [property: Description("Where an auditor reads its events.")] string Events
)
{
    public static readonly InferenceResponse Example = new(
        Guid.Parse("0199a4c2-8b1e-7f3d-9a51-c3e07b64d218"),
        new DateTime(2026, 1, 31, 12, 0, 0, DateTimeKind.Utc),
        new DateTime(2026, 1, 31, 12, 0, 1, DateTimeKind.Utc),
        InferenceStatus.Completed,
        "openai.chat-completions",
        "simulator",
        "simulator",
        "simulator",
        Stream: false,
        Guid.Parse("0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35"),
        Guid.Parse("0198c7f0-6b2e-7d10-b7c4-2f8a1e5d9c03"),
        ProjectId: null,
        ClientRequestId: "billing:42",
        "0199a4c27f0f7a1b9c2d3e4f5a6b7c8d",
        RecordingLevel.Full,
        [new Attempt(1, "simulator", "simulator", 200, UpstreamRequestId: null, DurationMs: 3.9, Failure: null)],
        new Usage(1, 6, 7, CachedInputTokens: null, CacheWriteTokens: null, ReasoningTokens: null, Estimated: false),
        Cost: null,
        new Latency(3.2, 4.1),
        Error: null,
        RequestDigest: null,
        new RawJson("""{"model":"simulator","messages":[{"role":"user","content":"Hello!"}]}"""u8.ToArray()),
        ResponseDigest: null,
        new RawJson(
            """{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hello! How can I help?"}}]}"""u8.ToArray()
        ),
        "/api/audit/streams/0199a4c2-8b1e-7f3d-9a51-c3e07b64d218"
    );

    /// <summary>The call, with what its events say around it.</summary>
    public static InferenceResponse Of(
        Guid id,
        Inference call,
        RecordedEvent first,
        RecordedEvent last,
        bool withBodies
    ) =>
        new(
            id,
            first.Time.UtcDateTime,
            call.Status == InferenceStatus.Started ? null : last.Time.UtcDateTime,
            call.Status,
            call.Wire,
            call.Model,
            call.Attempts is [.., var end] ? end.Deployment : call.Deployment,
            call.Attempts is [.., { Provider: { } provider }] ? provider : call.Provider,
            call.Stream,
            call.UserId,
            ApiKeyOf(first.Actor),
            call.ProjectId,
            call.ClientRequestId,
            first.Correlation,
            call.Recording,
            call.Attempts ?? [],
            call.Usage,
            call.Cost,
            call.Latency,
            call.Error,
            call.RequestDigest,
            withBodies ? call.Request : null,
            call.ResponseDigest,
            withBodies ? call.Response : null,
            $"/api/audit/streams/{id}"
        );

    /// <summary>The API key that acted, or null.</summary>
    public static Guid? ApiKeyOf(string actor)
    {
        const string Prefix = "api-key:";
        return
            actor.StartsWith(Prefix, StringComparison.Ordinal) && Guid.TryParse(actor.AsSpan(Prefix.Length), out var id)
            ? id
            : null;
    }
}
