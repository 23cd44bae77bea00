using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>
/// How many tokens a request has, where its provider cannot be asked: an estimate, to be called one. Texts are estimated by <see cref="TextTokens"/>;
/// each image counts 1,000, each file 1,500 and more by its size, each message 4, each tool 8.
/// </summary>
internal static class TokenEstimate
{
    private const int OfReply = 3;
    private const int OfMessage = 4;
    private const int OfTool = 8;
    private const int OfImage = 1000;
    private const int OfFile = 1500;
    private const int BytesOfFile = 100_000;

    /// <summary>Estimates the input of a request. Never throws.</summary>
    /// <param name="wire">The wire that the body is of; <see cref="Operation.CountTokens"/> is read as a message.</param>
    /// <param name="body">The body as it came.</param>
    /// <param name="tokens">The estimate.</param>
    /// <param name="error">What is wrong with the request.</param>
    public static bool TryOf(
        Operation wire,
        ReadOnlyMemory<byte> body,
        out long tokens,
        [NotNullWhen(false)] out WireError? error
    )
    {
        tokens = 0;
        using var reading = new RequestReading(body);
        if (!reading.TryParse(out var root))
        {
            error = reading.Error!;
            return false;
        }
        var request =
            wire == Operation.CountTokens
                ? Messages.MessagesRequestReader.Read(reading, root, needsLimit: false)
                : Wires.ReadRequest(wire, reading, root);
        error = reading.Error;
        if (error is not null)
            return false;
        tokens = Of(request);
        return true;
    }

    /// <summary>Estimates the input of a request that has nothing but texts and tools in it; false for any other.</summary>
    public static bool TryOfTexts(Operation wire, ReadOnlyMemory<byte> body, out long tokens)
    {
        tokens = 0;
        using var reading = new RequestReading(body);
        if (!reading.TryParse(out var root))
            return false;
        var request = Wires.ReadRequest(wire, reading, root);
        if (reading.Error is not null || request.Turns.Exists(static t => !t.Parts.TrueForAll(IsText)))
            return false;
        tokens = Of(request);
        return true;
    }

    /// <summary>Estimates the input of a request that was read.</summary>
    public static long Of(ModelRequest request)
    {
        long tokens = OfReply;
        foreach (var turn in request.Turns)
            tokens += OfMessage + turn.Parts.Sum(OfPart);
        foreach (var tool in request.Tools)
            tokens += OfTool + Of(tool.Name) + Of(tool.Description) + OfText(Encoding.UTF8.GetString(tool.Schema.Span));
        if (request.Format is { } format)
            tokens += OfText(Encoding.UTF8.GetString(format.Value.Schema.Span));
        return tokens;
    }

    /// <summary>Estimates a text.</summary>
    public static long OfText(string text) => (long)Math.Round(TextTokens.Estimate(text));

    private static long Of(JsonText? text) => text is { } given ? OfText(given.ToString()) : 0;

    private static bool IsText(Part part) =>
        part is TextPart or RefusalPart or ToolCallPart
        || (part is ToolResultPart result && result.Content.TrueForAll(IsText));

    private static long OfPart(Part part) =>
        part switch
        {
            TextPart text => Of(text.Text),
            RefusalPart refusal => Of(refusal.Text),
            ReasoningPart reasoning => Of(reasoning.Text),
            ToolCallPart call => OfTool + Of(call.Name) + Of(call.Arguments),
            ToolResultPart result => OfMessage + result.Content.Sum(OfPart),
            FilePart { Source.Kind: SourceKind.Text } file => Of(file.Source.Data) + Of(file.Name?.Value),
            FilePart file => OfFile * (1 + (file.Source.Data.Token.Length / BytesOfFile)),
            _ => OfImage,
        };
}
