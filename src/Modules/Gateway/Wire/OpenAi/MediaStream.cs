using System.Security.Cryptography;
using System.Text.Json;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Wire.OpenAi.Responses;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Wire.OpenAi;

/// <summary>
/// The events of sound, transcripts and images that come while they are made (OpenAI's API reference, "Audio" and "Image streaming"). Their bytes stay
/// as they are. Of sound and images a digest is kept, of a transcript its last event, which has all of the text.
/// </summary>
internal sealed class MediaStream : AnswerStream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[]? _transcript;
    private long _bytes;
    private int _chunks;
    private bool _isComplete;
    private bool _isDone;
    private WireError? _error;
    private bool _isKnown;
    private TokenUsage? _usage;

    public override int Chunks => _chunks;

    public override bool IsComplete => _isComplete;

    public override bool IsDone => _isDone;

    public override bool HasError => _error is not null;

    public override WireError? Error => _error;

    public override TokenUsage? Usage => _usage;

    /// <summary>What identifies the events that have come; null where a transcript is kept instead.</summary>
    public BodyDigest? Digest =>
        _transcript is null ? new BodyDigest(_bytes, Convert.ToHexStringLower(_hash.GetCurrentHash())) : null;

    public override ReadOnlyMemory<byte> Relay(in SseEvent sse)
    {
        _bytes += sse.Raw.Length;
        _hash.AppendData(sse.Raw.Span);
        if (sse.Data.IsEmpty)
            return sse.Raw;
        if (sse.Data.Span.SequenceEqual("[DONE]"u8))
        {
            _isComplete = true;
            _isDone = true;
            return sse.Raw;
        }
        _chunks++;
        try
        {
            Read(sse.Data.Span);
        }
        catch (JsonException)
        {
            // What is no JSON goes on as it is, and says nothing here.
        }
        return sse.Raw;
    }

    public override ReadOnlyMemory<byte> End()
    {
        // A server that has events of its own has an end of its own: an orderly end of the message is all that can be asked for.
        _isComplete |= !_isKnown && !HasError;
        return default;
    }

    public override byte[] ToArray() => _transcript ?? [];

    protected override void Dispose(bool disposing) => _hash.Dispose();

    private void Read(ReadOnlySpan<byte> data)
    {
        var reader = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = WireRequest.MaxDepth });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return;
        var isTranscript = false;
        var isLast = false;
        var isError = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonNames.Is(ref reader, "type"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.String)
                {
                    reader.Skip();
                    continue;
                }
                isTranscript = JsonNames.Is(ref reader, "transcript.text.done"u8);
                isLast =
                    isTranscript
                    || JsonNames.Is(ref reader, "speech.audio.done"u8)
                    || JsonNames.Is(ref reader, "image_generation.completed"u8)
                    || JsonNames.Is(ref reader, "image_edit.completed"u8);
                isError |= JsonNames.Is(ref reader, "error"u8);
                _isKnown |=
                    isLast
                    || reader.ValueSpan.StartsWith("transcript.text."u8)
                    || reader.ValueSpan.StartsWith("speech.audio."u8)
                    || reader.ValueSpan.StartsWith("image_"u8);
            }
            else if (JsonNames.Is(ref reader, "error"u8))
            {
                reader.Read();
                isError |= reader.TokenType is JsonTokenType.StartObject or JsonTokenType.String;
                reader.Skip();
            }
            else if (JsonNames.Is(ref reader, "usage"u8))
            {
                reader.Read();
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                _usage = ResponsesUsage.ReadCounts(data[start..(int)reader.BytesConsumed]) ?? _usage;
            }
            else
            {
                reader.Skip();
            }
        }
        if (isError)
            _error ??= ProviderErrors.InStream(data, keepsType: true);
        _isComplete |= isLast;
        if (isTranscript)
            _transcript = data.ToArray();
    }
}
