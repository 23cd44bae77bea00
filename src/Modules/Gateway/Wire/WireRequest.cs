using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>
/// A request to a model as the gateway needs it, on either wire: what it asks for, and where in its bytes the two things stand that the gateway
/// may change. Everything else goes to the provider byte by byte as it came: unknown fields, their order, white space and escapes.
/// </summary>
/// <remarks>
/// Keeps the body by reference: the memory must stay as it is for as long as the request is used. A byte order mark is refused, which
/// RFC 8259 section 8.1 leaves open: it could not be sent on to providers that refuse it, and no SDK sends one.
/// </remarks>
internal sealed class WireRequest
{
    /// <summary>The most characters (UTF-16 code units, after unescaping) that a model's name may have.</summary>
    public const int MaxModelLength = 200;

    /// <summary>The most that arrays and objects may be nested, as System.Text.Json counts.</summary>
    public const int MaxDepth = 64;

    // Everything that stands for itself in a JSON string.
    private static readonly SearchValues<char> Unescaped = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/@+ ~()[]{}=,;!#$%&'*<>?^`|"
    );

    private static readonly byte[] AsMember = [.. "\"stream_options\":{\"include_usage\":true},"u8];
    private static readonly byte[] AsOptions = [.. "{\"include_usage\":true}"u8];
    private static readonly byte[] AsFirstField = [.. "\"include_usage\":true,"u8];
    private static readonly byte[] AsOnlyField = [.. "\"include_usage\":true"u8];
    private static readonly byte[] AsTrue = [.. "true"u8];

    private readonly JsonSlice _model;
    private readonly UsageSplice _usage;

    private WireRequest(ReadOnlyMemory<byte> body, Reading reading)
    {
        Body = body;
        Model = reading.Model!;
        Stream = reading.Stream;
        NamesThread = reading.NamesThread;
        _model = reading.ModelToken;
        _usage = reading.Usage;
    }

    private WireRequest(ReadOnlyMemory<byte> body, string contentType, string model, JsonSlice place)
    {
        Body = body;
        ContentType = contentType;
        Model = model;
        _model = place;
        IsForm = true;
    }

    /// <summary>A request in a form (<c>multipart/form-data</c>), as sound and images are sent.</summary>
    /// <param name="body">The body as it came.</param>
    /// <param name="contentType">Its content type, which has the boundary.</param>
    /// <param name="model">What its field <c>model</c> says.</param>
    /// <param name="place">Where in the body it says so.</param>
    public static WireRequest OfForm(ReadOnlyMemory<byte> body, string contentType, string model, JsonSlice place) =>
        new(body, contentType, model, place);

    /// <summary>The content type that it is sent on with.</summary>
    public string ContentType { get; } = "application/json";

    /// <summary>The body is a form, not JSON.</summary>
    public bool IsForm { get; }

    /// <summary>The body as it came.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>The model's name, unescaped; 1 to <see cref="MaxModelLength"/> characters.</summary>
    public string Model { get; }

    /// <summary>The answer is wanted as a stream of events.</summary>
    public bool Stream { get; }

    /// <summary>The caller set <c>stream_options.include_usage</c> to true, so the chunk with the usage belongs to the answer.</summary>
    public bool IncludesUsage => _usage.Text == UsageText.None;

    /// <summary>A <c>thread</c> is named that is not null: on Anthropic's wire, a conversation that the provider keeps.</summary>
    public bool NamesThread { get; }

    /// <summary>
    /// Reads a request's body in one pass: the whole of it is checked to be one JSON object in UTF-8 with nothing behind it. Never throws.
    /// </summary>
    /// <remarks>
    /// A body that is not JSON is refused as that, whatever else is wrong with it. <c>model</c>, <c>stream</c>, <c>stream_options</c> and
    /// <c>include_usage</c> may stand there only once: of two, the gateway and the provider could each believe another.
    /// </remarks>
    /// <param name="body">The body, which the request keeps.</param>
    /// <param name="request">What was read.</param>
    /// <param name="error">Why it is refused.</param>
    /// <param name="hasStreamOptions">The wire has <c>stream_options.include_usage</c>; where it has not, usage is always sent.</param>
    public static bool TryRead(
        ReadOnlyMemory<byte> body,
        [NotNullWhen(true)] out WireRequest? request,
        [NotNullWhen(false)] out WireError? error,
        bool hasStreamOptions = true
    )
    {
        request = null;
        var reading = new Reading { HasStreamOptions = hasStreamOptions };
        try
        {
            error = Check(body.Span) ?? ReadObject(body.Span, ref reading) ?? reading.Error;
        }
        catch (JsonException e)
        {
            error = Malformed(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"it stops being JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}"
                )
            );
        }
        if (error is not null)
            return false;
        if (string.IsNullOrEmpty(reading.Model))
        {
            // OpenAI's own words and nulls for it.
            error = new WireError(400, "you must provide a model parameter", null, null);
            return false;
        }
        request = new WireRequest(body, reading);
        return true;
    }

    /// <summary>
    /// What goes to the provider, in pieces that follow each other: the body with the model's string replaced and
    /// <c>stream_options.include_usage</c> made true where that is asked for, and all other bytes as they came. Nothing is copied.
    /// </summary>
    /// <param name="upstreamModel">The provider's name of the model, or null to leave the caller's.</param>
    /// <param name="askForUsage">
    /// A stream is to end with its usage even if the caller did not ask for it. Changes nothing in a request that does not stream.
    /// </param>
    public ReadOnlyMemory<byte>[] UpstreamPieces(string? upstreamModel, bool askForUsage)
    {
        var replacesModel = upstreamModel is not null && upstreamModel != Model;
        var addsUsage = askForUsage && Stream && !IncludesUsage;
        var model = new Splice(_model, replacesModel ? TextOf(upstreamModel!) : default);
        var usage = new Splice(_usage.Place, addsUsage ? TextOf(_usage.Text) : default);
        return (replacesModel, addsUsage) switch
        {
            (false, false) => [Body],
            (true, false) => [Body[..model.Place.Start], model.Text, Body[model.Place.End..]],
            (false, true) => [Body[..usage.Place.Start], usage.Text, Body[usage.Place.End..]],
            _ when model.Place.Start < usage.Place.Start => Both(model, usage),
            _ => Both(usage, model),
        };
    }

    private ReadOnlyMemory<byte>[] Both(Splice first, Splice second) =>
        [
            Body[..first.Place.Start],
            first.Text,
            Body[first.Place.End..second.Place.Start],
            second.Text,
            Body[second.Place.End..],
        ];

    private byte[] TextOf(string model) => IsForm ? Encoding.UTF8.GetBytes(model) : Quoted(model);

    private static byte[] Quoted(string model) =>
        [
            (byte)'"',
            .. model.AsSpan().ContainsAnyExcept(Unescaped)
                ? JsonEncodedText.Encode(model, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes
                : Encoding.UTF8.GetBytes(model),
            (byte)'"',
        ];

    private static byte[] TextOf(UsageText text) =>
        text switch
        {
            UsageText.Member => AsMember,
            UsageText.Options => AsOptions,
            UsageText.FirstField => AsFirstField,
            UsageText.OnlyField => AsOnlyField,
            UsageText.True => AsTrue,
            _ => throw new ArgumentOutOfRangeException(nameof(text), text, "Not a text."),
        };

    private static WireError? Check(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty)
            return Malformed("it is empty");
        if (body.StartsWith("\uFEFF"u8))
            return Malformed("it begins with a byte order mark, which JSON does not have");
        // The reader does not look into strings.
        return Utf8.IsValid(body) ? null : Malformed("it is not UTF-8");
    }

    private static WireError? ReadObject(ReadOnlySpan<byte> body, ref Reading reading)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaxDepth });
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            // Malformed JSON behind it is found here.
            reader.Skip();
            _ = reader.Read();
            return Malformed("it is not an object");
        }

        if (reading.HasStreamOptions)
            reading.Usage = new UsageSplice(new JsonSlice((int)reader.BytesConsumed, 0), UsageText.Member);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonNames.Is(ref reader, "model"u8))
                ReadModel(ref reader, ref reading);
            else if (JsonNames.Is(ref reader, "stream"u8))
                ReadStream(ref reader, ref reading);
            else if (reading.HasStreamOptions && JsonNames.Is(ref reader, "stream_options"u8))
                ReadStreamOptions(ref reader, ref reading);
            else
                ReadOther(ref reader, ref reading);
        }
        // Past the end there may only be white space: anything else throws.
        _ = reader.Read();
        return null;
    }

    private static void ReadOther(ref Utf8JsonReader reader, ref Reading reading)
    {
        var isThread = JsonNames.Is(ref reader, "thread"u8);
        reader.Read();
        reading.NamesThread |= isThread && reader.TokenType != JsonTokenType.Null;
        reader.Skip();
    }

    private static void ReadModel(ref Utf8JsonReader reader, ref Reading reading)
    {
        reading.Once(Fields.Model, "model");
        reader.Read();
        reading.ModelToken = JsonSlice.OfToken(ref reader);
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                reading.Model = ModelOf(ref reader, ref reading);
                break;
            case JsonTokenType.Null:
                break;
            default:
                reading.WrongType(ref reader, "model", "a string");
                break;
        }
        reader.Skip();
    }

    private static string? ModelOf(ref Utf8JsonReader reader, ref Reading reading)
    {
        // One character is at most six bytes (\u0000), so no string is made of what is too long by far.
        if (reader.ValueSpan.Length <= MaxModelLength * 6)
        {
            try
            {
                var model = reader.GetString();
                if (model!.Length <= MaxModelLength)
                    return model;
            }
            catch (InvalidOperationException)
            {
                reading.Error ??= new WireError(
                    400,
                    "Invalid 'model': an escape in it is half of a surrogate pair.",
                    "model",
                    "invalid_value"
                );
                return null;
            }
        }
        reading.Error ??= new WireError(
            400,
            string.Create(
                CultureInfo.InvariantCulture,
                $"Invalid 'model': string too long. Expected a string with maximum length {MaxModelLength}."
            ),
            "model",
            "string_above_max_length"
        );
        return null;
    }

    private static void ReadStream(ref Utf8JsonReader reader, ref Reading reading)
    {
        reading.Once(Fields.Stream, "stream");
        reader.Read();
        switch (reader.TokenType)
        {
            case JsonTokenType.True:
                reading.Stream = true;
                break;
            case JsonTokenType.False or JsonTokenType.Null:
                break;
            default:
                reading.WrongType(ref reader, "stream", "a boolean");
                break;
        }
        reader.Skip();
    }

    private static void ReadStreamOptions(ref Utf8JsonReader reader, ref Reading reading)
    {
        reading.Once(Fields.StreamOptions, "stream_options");
        reader.Read();
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                reading.Usage = new UsageSplice(JsonSlice.OfToken(ref reader), UsageText.Options);
                break;
            case JsonTokenType.StartObject:
                ReadIncludeUsage(ref reader, ref reading);
                break;
            default:
                reading.WrongType(ref reader, "stream_options", "an object");
                reader.Skip();
                break;
        }
    }

    private static void ReadIncludeUsage(ref Utf8JsonReader reader, ref Reading reading)
    {
        var place = new JsonSlice((int)reader.BytesConsumed, 0);
        var text = UsageText.OnlyField;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (text == UsageText.OnlyField)
                text = UsageText.FirstField;
            if (!JsonNames.Is(ref reader, "include_usage"u8))
            {
                reader.Skip();
                continue;
            }
            reading.Once(Fields.IncludeUsage, "stream_options.include_usage");
            reader.Read();
            place = JsonSlice.OfToken(ref reader);
            text = reader.TokenType == JsonTokenType.True ? UsageText.None : UsageText.True;
            if (reader.TokenType is not (JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null))
                reading.WrongType(ref reader, "stream_options.include_usage", "a boolean");
            reader.Skip();
        }
        reading.Usage = new UsageSplice(place, text);
    }

    private static WireError Malformed(string why) =>
        new(400, $"We could not parse the JSON body of your request: {why}.", null, null);

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Splice(JsonSlice Place, ReadOnlyMemory<byte> Text);

    /// <summary>What to write in place of which bytes so that the request asks for its usage.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct UsageSplice(JsonSlice Place, UsageText Text);

    private enum UsageText
    {
        /// <summary>The caller asked.</summary>
        None,

        /// <summary>There are no options: they become the first member, before <c>model</c> or another that must be there.</summary>
        Member,

        /// <summary>The options are null.</summary>
        Options,

        /// <summary>The options have other fields.</summary>
        FirstField,

        /// <summary>The options are an empty object.</summary>
        OnlyField,

        /// <summary>The field is there with false or null.</summary>
        True,
    }

    [Flags]
    private enum Fields
    {
        None = 0x0,
        Model = 0x1,
        Stream = 0x2,
        StreamOptions = 0x4,
        IncludeUsage = 0x8,
    }

    private struct Reading
    {
        public bool HasStreamOptions;
        public string? Model;
        public JsonSlice ModelToken;
        public bool Stream;
        public bool NamesThread;
        public UsageSplice Usage;
        public WireError? Error;
        private Fields _seen;

        public void Once(Fields what, string name)
        {
            if ((_seen & what) != Fields.None)
                Error ??= new WireError(400, $"Invalid '{name}': it is given more than once.", name, "invalid_value");
            _seen |= what;
        }

        public void WrongType(ref Utf8JsonReader reader, string name, string expected) =>
            Error ??= new WireError(
                400,
                $"Invalid type for '{name}': expected {expected}, but got {Described(reader.TokenType)} instead.",
                name,
                "invalid_type"
            );

        private static string Described(JsonTokenType type) =>
            type switch
            {
                JsonTokenType.StartObject => "an object",
                JsonTokenType.StartArray => "an array",
                JsonTokenType.String => "a string",
                JsonTokenType.Number => "a number",
                JsonTokenType.True or JsonTokenType.False => "a boolean",
                _ => "null",
            };
    }
}
