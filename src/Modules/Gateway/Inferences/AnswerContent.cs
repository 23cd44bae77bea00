using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>What a try brought, as it goes on record.</summary>
/// <param name="Bytes">
/// As JSON: the answer of a stream put together, a body that is JSON as it is, any other as a string; null when nothing came, or sound or images.
/// </param>
/// <param name="Kept">The same, where bodies are kept.</param>
/// <param name="Digest">What identifies a body that is not kept.</param>
/// <param name="Usage">Its tokens: what the provider counted, otherwise an estimate of an answer that had begun.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct AnswerContent(
    ReadOnlyMemory<byte>? Bytes,
    RawJson? Kept,
    BodyDigest? Digest,
    Usage? Usage
)
{
    public static AnswerContent Of(UpstreamAttempt attempt, RecordingLevel recording)
    {
        var usage = attempt.Usage is { } u
            ? new Usage(u.Prompt, u.Completion, u.Total, u.Cached, u.CacheWritten, u.Reasoning, Estimated: false)
            : null;
        if (attempt.Raw is { } raw)
            return new AnswerContent(null, null, raw.Digest, usage);
        if (attempt.Stream is MediaStream { Digest: { } digest })
            return new AnswerContent(null, null, digest, usage);
        if (BytesOf(attempt) is not { } bytes)
        {
            var isMedia = attempt is { IsRaw: true, Failure: null };
            return new AnswerContent(null, null, isMedia ? BodyDigest.Of(attempt.Answer.Span) : null, usage);
        }
        if (attempt.Failure is null)
        {
            if (usage is null)
                usage = TokenCounts.Estimate(attempt, bytes.Span);
            else
                TokenCounts.Learn(attempt, usage, bytes.Span);
        }
        return recording == RecordingLevel.Full && bytes.Length <= InferenceJournal.MaxBodyBytes
            ? new AnswerContent(bytes, new RawJson(attempt.Keep(bytes)), Digest: null, usage)
            : new AnswerContent(bytes, Kept: null, BodyDigest.Of(bytes.Span), usage);
    }

    private static ReadOnlyMemory<byte>? BytesOf(UpstreamAttempt attempt)
    {
        if (attempt.Stream is { } stream)
            return stream.Chunks > 0 ? stream.ToArray() : (ReadOnlyMemory<byte>?)null;
        if (attempt.Failure is null)
            return attempt.IsRaw && !IsJson(attempt.Answer.Span) ? (ReadOnlyMemory<byte>?)null : attempt.Answer;
        if (attempt.Body.IsEmpty)
            return null;
        return IsJson(attempt.Body.Span)
            ? attempt.Body.ToArray()
            : JsonSerializer.SerializeToUtf8Bytes(Encoding.UTF8.GetString(attempt.Body.Span));
    }

    private static bool IsJson(ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body))
            return false;
        try
        {
            var reader = new Utf8JsonReader(body);
            while (reader.Read()) { }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
