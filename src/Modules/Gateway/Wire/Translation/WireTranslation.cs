namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>A call between any two wires, through the one model of requests and answers.</summary>
internal sealed class WireTranslation(
    Operation caller,
    TranslationTarget target,
    AnswerIdentity identity,
    ModelRequest request,
    ReadOnlyMemory<byte> body,
    IReadOnlyList<UnsupportedParameter> unsupported
) : TranslatedCall
{
    public override ReadOnlyMemory<byte> Body => body;

    public override IReadOnlyList<UnsupportedParameter> Unsupported => unsupported;

    public override bool TryTranslateAnswer(ReadOnlySpan<byte> body, out byte[] answer, out TokenUsage? usage)
    {
        using var whole = new Answer(identity, target.Model, writer: null);
        using var reader = Wires.Reader(target.Operation, whole);
        var isAnswer = reader.TryReadWhole(body);
        usage = whole.Usage;
        answer = [];
        if (!isAnswer)
            return false;
        using var writer = Wires.Writer(caller, request);
        writer.WriteWhole(whole);
        answer = writer.Output.ToArray();
        return true;
    }

    public override WireError TranslateError(int status, ReadOnlySpan<byte> body) =>
        AnswerErrors.For(caller, ProviderErrors.OfStatus(status, body));

    public override AnswerStream OpenStream()
    {
        var writer = Wires.Writer(caller, request);
        var answer = new Answer(identity, target.Model, writer);
        return new TranslatedStream(answer, Wires.Reader(target.Operation, answer), writer);
    }
}
