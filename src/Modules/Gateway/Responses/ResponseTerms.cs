using System.Runtime.InteropServices;
using System.Text.Json;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>What a request for a response says about others and about itself, beside what it asks the model.</summary>
/// <param name="PreviousResponseId">The response that it goes on from.</param>
/// <param name="IsStored">It may be asked for again: the default.</param>
/// <param name="IsBackground">It is to be made while nobody waits.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ResponseTerms(string? PreviousResponseId, bool IsStored, bool IsBackground)
{
    /// <summary>Reads the terms of a body that has been found to be a JSON object.</summary>
    public static ResponseTerms Read(ReadOnlySpan<byte> body)
    {
        string? previous = null;
        var isStored = true;
        var isBackground = false;
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = WireRequest.MaxDepth });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isPrevious = JsonNames.Is(ref reader, "previous_response_id"u8);
            var isStore = JsonNames.Is(ref reader, "store"u8);
            var isInBackground = JsonNames.Is(ref reader, "background"u8);
            reader.Read();
            if (isPrevious && reader.TokenType == JsonTokenType.String)
                previous = TextOf(ref reader);
            else if (isStore)
                isStored = reader.TokenType != JsonTokenType.False;
            else if (isInBackground)
                isBackground = reader.TokenType == JsonTokenType.True;
            reader.Skip();
        }
        return new ResponseTerms(previous, isStored, isBackground);
    }

    private static string TextOf(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: no response bears such an id.
            return "";
        }
    }
}
