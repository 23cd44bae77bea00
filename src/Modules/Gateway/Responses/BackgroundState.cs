using System.Text.Json;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;
using Verbatim.Modules.Gateway.Wire.Translation.Responses;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>What a response that is made in the background is at the moment: made of its row and of the record of its call.</summary>
internal static class BackgroundState
{
    private const string Lost = "The instance that ran it ended before it was complete.";

    /// <summary>How it stands.</summary>
    public static ResponseStatus StatusOf(Inference inference, BackgroundRow row) =>
        (row, inference.Status) switch
        {
            ({ IsCancelled: true }, _) => ResponseStatus.Cancelled,
            // Its instance may have been taken for dead and tell the outcome later: what was said once holds.
            ({ IsLost: true }, _) => ResponseStatus.Failed,
            ({ HasBegun: false }, InferenceStatus.Started) => ResponseStatus.Queued,
            (_, InferenceStatus.Started) => ResponseStatus.InProgress,
            (_, InferenceStatus.Completed) => StatusOfAnswer(inference),
            _ => ResponseStatus.Failed,
        };

    /// <summary>The response as it is answered.</summary>
    public static ReadOnlyMemory<byte> Write(Guid inferenceId, Inference inference, BackgroundRow row)
    {
        var status = StatusOf(inference, row);
        if (status is ResponseStatus.Completed or ResponseStatus.Incomplete)
            return inference.Response!.Value.Utf8;
        var error = status == ResponseStatus.Failed ? ErrorOf(inference, row) : null;
        return Write(new AnswerIdentity(inferenceId, row.CreatedAt), inference.Request!.Value.Utf8, status, error);
    }

    /// <summary>A response without an answer.</summary>
    /// <param name="identity">What it calls itself.</param>
    /// <param name="asked">The request's body, as the caller sent it.</param>
    /// <param name="status">How it stands.</param>
    /// <param name="error">Why it failed.</param>
    public static ReadOnlyMemory<byte> Write(
        AnswerIdentity identity,
        ReadOnlyMemory<byte> asked,
        ResponseStatus status,
        WireError? error = null
    )
    {
        var echo = new List<ReadOnlyMemory<byte>>();
        var model = "";
        using (var reading = new RequestReading(asked))
        {
            if (reading.TryParse(out var root))
            {
                var body = new RequestObject(reading, root, "");
                ResponsesEcho.Read(body, echo);
                model = body.TakeWord("model") ?? "";
            }
        }
        using var answer = new Answer(identity, model, writer: null);
        using var writer = new ResponsesAnswerWriter(echo);
        writer.WriteWhole(answer);
        return JsonMembers.With(
            writer.Output.Span,
            JsonMember.OfText("status", ResponseStatuses.NameOf(status)),
            new JsonMember("error", error is null ? "null"u8.ToArray() : WriteError(error)),
            new JsonMember("background", "true"u8.ToArray())
        );
    }

    private static ResponseStatus StatusOfAnswer(Inference inference) =>
        inference.Response is { } answer && StatusIn(answer.Utf8.Span) is "incomplete"
            ? ResponseStatus.Incomplete
            : ResponseStatus.Completed;

    private static WireError ErrorOf(Inference inference, BackgroundRow row)
    {
        if (row.IsLost || inference.Status == InferenceStatus.Unknown)
            return new WireError(500, Lost, null, null);
        if (inference.Error is not { } error)
            return new WireError(500, "The server was stopped before it was complete.", null, null);
        // What the provider said of it may be about the caller's prompt: it is sealed with the answer, and not in the record's own error.
        var said =
            inference.Response is { } answer && JsonObjects.IsWellFormed(answer.Utf8.Span) ? answer.Utf8 : default;
        return (error.Code, said.IsEmpty) switch
        {
            ("upstream-status", false) => ProviderErrors.OfStatus(error.Status, said.Span),
            ("upstream-error", false) when JsonObjects.Has(said.Span, "error"u8) => ProviderErrors.InStream(said.Span),
            _ => new WireError(error.Status == 200 ? 502 : error.Status, error.Message, null, null),
        };
    }

    private static string? StatusIn(ReadOnlySpan<byte> answer)
    {
        if (!JsonObjects.IsWellFormed(answer))
            return null;
        var reader = new Utf8JsonReader(answer);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "status"u8))
                return JsonText.Unescape(JsonReading.Text(ref reader));
            reader.Skip();
        }
        return null;
    }

    // The codes of this object are few ("The response object", error); what a provider of another wire calls an error is none of them.
    private static byte[] WriteError(WireError error)
    {
        var code = error switch
        {
            { Code: "invalid_prompt" or "rate_limit_exceeded" or "server_error" } => error.Code,
            { Code: { } known } when known.Contains("image", StringComparison.Ordinal) => known,
            { Status: 429 } => "rate_limit_exceeded",
            _ => "server_error",
        };
        return JsonSerializer.SerializeToUtf8Bytes(new { code, message = error.Message });
    }
}
