using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Wire.OpenAi;

/// <summary>A stream of chat completions between two sides that both speak that wire: the bytes stay as they are.</summary>
/// <param name="includesUsage">The caller asked for the chunk with the usage; otherwise it is left out.</param>
internal sealed class ChatStream(bool includesUsage) : AnswerStream
{
    private readonly ChatStreamAssembler _assembler = new();

    public override int Chunks => _assembler.Chunks;

    public override bool IsComplete => _assembler.IsComplete;

    public override bool IsDone => _assembler.IsDone;

    public override bool HasError => _assembler.Error.Length > 0;

    public override WireError? Error =>
        HasError ? ProviderErrors.InStream(_assembler.Error.Span, keepsType: true) : null;

    public override TokenUsage? Usage => _assembler.Usage;

    public override ReadOnlyMemory<byte> Relay(in SseEvent sse) =>
        _assembler.Add(sse) switch
        {
            ChatStreamEvent.UsageOnly when !includesUsage => default,
            ChatStreamEvent.Late => default,
            _ => sse.Raw,
        };

    public override byte[] ToArray() => _assembler.ToArray();

    protected override void Dispose(bool disposing) => _assembler.Dispose();
}
