using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Wire.OpenAi.Responses;

/// <summary>
/// What a response says otherwise than its provider does, because the provider was asked otherwise than the caller asked: by another id, without
/// <c>background</c>, with the conversation written out instead of <c>previous_response_id</c>.
/// </summary>
internal sealed class ResponseAmendments(params JsonMember[] members)
{
    /// <summary>The same for another try, which may run beside this one and has another id at its provider.</summary>
    public ResponseAmendments Again() => new(members);

    /// <summary>The response's id at its provider, as far as it has been seen.</summary>
    public string? UpstreamId { get; private set; }

    /// <summary>A response with them. What is no object comes back as it is.</summary>
    public ReadOnlyMemory<byte> Amend(ReadOnlyMemory<byte> response)
    {
        if (!JsonObjects.IsWellFormed(response.Span))
            return response;
        UpstreamId = IdOf(response.Span) ?? UpstreamId;
        return JsonMembers.With(response.Span, members);
    }

    /// <summary>The events of a stream, in which responses stand in whole, with them.</summary>
    public AnswerStream Amend(AnswerStream stream) => new AmendedStream(stream, this);

    private static string? IdOf(ReadOnlySpan<byte> response)
    {
        var reader = new Utf8JsonReader(response);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "id"u8))
                return
                    JsonText.Unescape(JsonReading.Text(ref reader)) is { Length: > 0 and <= 200 } id
                    && !id.Contains('\0', StringComparison.Ordinal)
                    ? id
                    : null;
            reader.Skip();
        }
        return null;
    }
}
