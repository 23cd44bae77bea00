using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>A body for the provider while it is written, with what cannot be said in it.</summary>
internal sealed class RequestWriting : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new(1024);
    private readonly List<UnsupportedParameter> _unsupported;

    public RequestWriting(TranslationTarget target, List<UnsupportedParameter> unsupported)
    {
        Target = target;
        _unsupported = unsupported;
        Json = new Utf8JsonWriter(
            _buffer,
            new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }
        );
    }

    public TranslationTarget Target { get; }

    public Utf8JsonWriter Json { get; }

    /// <summary>Without what the provider cannot do nothing is left to ask.</summary>
    public bool HasNothingElse { get; set; }

    /// <summary>What was written.</summary>
    public ReadOnlyMemory<byte> ToBody()
    {
        Json.Flush();
        return _buffer.WrittenMemory;
    }

    /// <summary>Notes what the provider cannot do. <paramref name="reason"/> follows the name.</summary>
    public void CannotDo(string parameter, string reason) =>
        _unsupported.Add(new UnsupportedParameter(parameter, reason));

    /// <summary>Notes what the provider cannot do, if it was given.</summary>
    public void CannotDo<T>(Given<T>? given, string reason)
    {
        if (given is { } value)
            CannotDo(value.Parameter, reason);
    }

    public void Text(ReadOnlySpan<byte> name, JsonText text) => Raw(name, text.Token.Span);

    public void Text(ReadOnlySpan<byte> name, JsonText? text)
    {
        if (text is { } given)
            Raw(name, given.Token.Span);
    }

    /// <summary>A member whose value is JSON already; none when it is empty.</summary>
    public void Raw(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty)
            return;
        Json.WritePropertyName(name);
        Json.WriteRawValue(json, skipInputValidation: true);
    }

    public void Number(ReadOnlySpan<byte> name, Given<Number>? number)
    {
        if (number is { } given)
            Raw(name, given.Value.Raw.Span);
    }

    /// <summary>A value in a list.</summary>
    public void Value(JsonText text) => Json.WriteRawValue(text.Token.Span, skipInputValidation: true);

    /// <summary>A text in quotes that are escaped once more: JSON as a string.</summary>
    public void Quoted(ReadOnlySpan<byte> name, ReadOnlySpan<byte> utf8) =>
        Text(name, JsonText.Quote(JsonText.Escape(utf8)));

    /// <inheritdoc/>
    public void Dispose() => Json.Dispose();
}
