using System.Text;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

public sealed class TranslationCostTests
{
    private const int Deltas = 2000;

    [Theory]
    [InlineData(nameof(Operation.ChatCompletions), nameof(Operation.Messages))]
    [InlineData(nameof(Operation.ChatCompletions), nameof(Operation.Responses))]
    [InlineData(nameof(Operation.Messages), nameof(Operation.ChatCompletions))]
    [InlineData(nameof(Operation.Messages), nameof(Operation.Responses))]
    [InlineData(nameof(Operation.Responses), nameof(Operation.ChatCompletions))]
    [InlineData(nameof(Operation.Responses), nameof(Operation.Messages))]
    public void A_piece_of_text_is_translated_without_allocating(string caller, string target)
    {
        var (first, delta) = Events(Enum.Parse<Operation>(target));
        using var stream = Translated
            .Open(
                Enum.Parse<Operation>(caller),
                Enum.Parse<Operation>(target),
                Transcripts.RequestOf(Enum.Parse<Operation>(caller))
            )
            .OpenStream();
        Relay(stream, first, 1);
        Relay(stream, delta, Deltas);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Relay(stream, delta, Deltas);
        var perDelta = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)Deltas;

        // What is left are buffers that double while the answer grows.
        Assert.InRange(perDelta, 0, 24);
    }

    private static void Relay(AnswerStream stream, byte[] @event, int times)
    {
        using var reader = new SseReader();
        for (var i = 0; i < times; i++)
        {
            reader.Feed(@event);
            while (reader.TryRead(out var sse))
                _ = stream.Relay(sse);
        }
    }

    private static (byte[] First, byte[] Delta) Events(Operation wire) =>
        wire switch
        {
            Operation.ChatCompletions => (
                Bytes(
                    """data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-5","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"""
                ),
                Bytes(
                    """data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-5","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}"""
                )
            ),
            Operation.Messages => (
                Bytes(
                    "event: message_start\n"
                        + """data: {"type":"message_start","message":{"model":"m","content":[],"usage":{"input_tokens":1}}}"""
                        + "\n\nevent: content_block_start\n"
                        + """data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"""
                ),
                Bytes(
                    "event: content_block_delta\n"
                        + """data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}"""
                )
            ),
            _ => (
                Bytes(
                    "event: response.created\n"
                        + """data: {"type":"response.created","sequence_number":0,"response":{"model":"m"}}"""
                ),
                Bytes(
                    "event: response.output_text.delta\n"
                        + """data: {"type":"response.output_text.delta","sequence_number":7,"item_id":"msg_1","output_index":1,"content_index":0,"delta":" word","logprobs":[]}"""
                )
            ),
        };

    private static byte[] Bytes(string @event) => Encoding.UTF8.GetBytes(@event + "\n\n");
}
