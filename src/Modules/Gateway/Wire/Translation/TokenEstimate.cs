using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>
/// How many tokens a request has, where its provider cannot be asked: an estimate, to be called one. Texts are cut as tokenizers cut them before they
/// look anything up (words with the space before them, numbers by three digits, punctuation, line ends), and a word counts one token for every nine
/// letters it begins. Each image counts 1,000, each file 1,500 and more by its size, each message 4, each tool 8.
/// </summary>
/// <remarks>
/// English prose comes out near to what current tokenizers count; code, other languages and long names are further off. Every model counts
/// differently, so nothing nearer is to be had without its own tokenizer.
/// </remarks>
internal static class TokenEstimate
{
    private const int OfReply = 3;
    private const int OfMessage = 4;
    private const int OfTool = 8;
    private const int OfImage = 1000;
    private const int OfFile = 1500;
    private const int BytesOfFile = 100_000;
    private const double LettersOfToken = 9;
    private const double LettersOfOtherScripts = 3.5;

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
        tokens = OfReply;
        foreach (var turn in request.Turns)
            tokens += OfMessage + turn.Parts.Sum(OfPart);
        foreach (var tool in request.Tools)
            tokens += OfTool + Of(tool.Name) + Of(tool.Description) + OfText(Encoding.UTF8.GetString(tool.Schema.Span));
        if (request.Format is { } format)
            tokens += OfText(Encoding.UTF8.GetString(format.Value.Schema.Span));
        return true;
    }

    /// <summary>Estimates a text.</summary>
    public static long OfText(string text)
    {
        var tokens = 0.0;
        var at = 0;
        while (at < text.Length)
        {
            var kind = KindOf(text, at, out _);
            var start = at;
            var count = 0;
            while (at < text.Length && KindOf(text, at, out var length) == kind)
            {
                // A capital begins a word of its own inside a name.
                if (kind == Kind.Word && count > 0 && char.IsUpper(text[at]) && char.IsLower(text[at - 1]))
                    break;
                at += length;
                count++;
            }
            tokens += kind switch
            {
                Kind.Word => Math.Ceiling(count / LettersOfToken),
                Kind.OtherScript => Math.Ceiling(count / LettersOfOtherScripts),
                Kind.Digits => Math.Ceiling(count / 3.0),
                Kind.Punctuation => Math.Ceiling(count / 2.0),
                Kind.LineEnd => 1,
                // One space belongs to the word behind it.
                Kind.Space => count > 1 ? 1 : 0,
                Kind.Ideograph => count,
                _ => count * 2,
            };
            if (at == start)
                at++;
        }
        return (long)tokens;
    }

    private static long Of(JsonText? text) => text is { } given ? OfText(given.ToString()) : 0;

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

    private static Kind KindOf(string text, int at, out int length)
    {
        length = 1;
        var character = text[at];
        if (char.IsAscii(character))
        {
            return char.IsAsciiLetter(character) ? Kind.Word
                : char.IsAsciiDigit(character) ? Kind.Digits
                : character is '\n' or '\r' ? Kind.LineEnd
                : character is ' ' or '\t' ? Kind.Space
                : Kind.Punctuation;
        }
        if (!Rune.TryGetRuneAt(text, at, out var rune))
            return Kind.Symbol;
        length = rune.Utf16SequenceLength;
        // Chinese, Japanese and Korean: blocks from U+2E80 on, and the planes behind.
        if (rune.Value is (>= 0x2E80 and <= 0xD7FF) or (>= 0x20000 and <= 0x3FFFF))
            return Kind.Ideograph;
        return Rune.GetUnicodeCategory(rune) switch
        {
            // Latin with marks goes with the words around it.
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter when rune.Value < 0x250 => Kind.Word,
            <= UnicodeCategory.SpacingCombiningMark => Kind.OtherScript,
            UnicodeCategory.SpaceSeparator => Kind.Space,
            >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation => Kind.Punctuation,
            _ => Kind.Symbol,
        };
    }

    private enum Kind
    {
        Word,
        OtherScript,
        Digits,
        Punctuation,
        LineEnd,
        Space,
        Ideograph,
        Symbol,
    }
}
