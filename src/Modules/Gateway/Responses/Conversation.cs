using System.Buffers;
using System.Text.Json;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>
/// Writes out what a request with <c>previous_response_id</c> stands for: what was asked and answered before, then what is asked now. So any
/// provider can go on from any other's response.
/// </summary>
[Singleton]
internal sealed class Conversation(StoredResponses responses)
{
    /// <summary>The most responses that one request may go back.</summary>
    public const int MaxLength = 200;

    /// <summary>The request's body with all of its conversation in <c>input</c>, and without <c>previous_response_id</c>.</summary>
    /// <returns>Null when a response that it goes back to is not there.</returns>
    public async Task<ReadOnlyMemory<byte>?> UnfoldAsync(
        Access access,
        ReadOnlyMemory<byte> body,
        StoredResponse previous,
        CancellationToken cancellationToken
    )
    {
        var turns = new Stack<StoredResponse>();
        for (var turn = previous; turn is not null; )
        {
            if (turns.Count == MaxLength)
                return null;
            turns.Push(turn);
            if (ResponseTerms.Read(turn.Request.Span).PreviousResponseId is not { } before)
                break;
            turn = await responses.FindAsync(access, before, cancellationToken);
            if (turn is not { IsAnswered: true })
                return null;
        }

        var output = new ArrayBufferWriter<byte>(body.Length + previous.Request.Length + previous.Response.Length);
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        using var request = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = WireRequest.MaxDepth });
        json.WriteStartObject();
        foreach (var member in request.RootElement.EnumerateObject())
        {
            if (!member.NameEquals("previous_response_id"u8) && !member.NameEquals("input"u8))
                member.WriteTo(json);
        }
        json.WriteStartArray("input"u8);
        while (turns.TryPop(out var turn))
            WriteTurn(json, turn);
        WriteInput(json, request.RootElement);
        json.WriteEndArray();
        json.WriteEndObject();
        await json.FlushAsync(cancellationToken);
        return output.WrittenMemory;
    }

    /// <summary>Writes the items of a request's <c>input</c>, a text being the one item that it stands for.</summary>
    public static void WriteInput(Utf8JsonWriter json, JsonElement request)
    {
        if (!request.TryGetProperty("input"u8, out var input))
            return;
        switch (input.ValueKind)
        {
            case JsonValueKind.String:
                json.WriteStartObject();
                json.WriteString("role"u8, "user"u8);
                json.WritePropertyName("content"u8);
                input.WriteTo(json);
                json.WriteEndObject();
                break;
            case JsonValueKind.Array:
                foreach (var item in input.EnumerateArray())
                    item.WriteTo(json);
                break;
            default:
                break;
        }
    }

    private static void WriteTurn(Utf8JsonWriter json, StoredResponse turn)
    {
        using (var request = JsonDocument.Parse(turn.Request))
            WriteInput(json, request.RootElement);
        using var response = JsonDocument.Parse(turn.Response);
        if (!response.RootElement.TryGetProperty("output"u8, out var output) || output.ValueKind != JsonValueKind.Array)
            return;
        foreach (var item in output.EnumerateArray())
        {
            // Reasoning that only its maker could open says nothing elsewhere, and other providers refuse it.
            if (!IsOpaque(item))
                item.WriteTo(json);
        }
    }

    private static bool IsOpaque(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object
        && item.TryGetProperty("type"u8, out var type)
        && type.ValueKind == JsonValueKind.String
        && type.ValueEquals("reasoning"u8)
        && (
            !item.TryGetProperty("encrypted_content"u8, out var sealedContent)
            || sealedContent.ValueKind != JsonValueKind.String
        );
}
