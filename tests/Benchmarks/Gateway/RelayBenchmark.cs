using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi;

namespace Verbatim.Tests.Benchmarks.Gateway;

/// <summary>
/// Time and memory that one chunk of a stream takes from the provider's bytes to the caller's: split, looked at, put together for the record,
/// written. Run by BenchmarkDotNet, in this process.
/// </summary>
[MemoryDiagnoser]
public class RelayBenchmark
{
    private const int Chunks = 1000;
    private readonly ArrayBufferWriter<byte> _output = new(512 * 1024);
    private byte[] _stream = [];

    [GlobalSetup]
    public void Write()
    {
        var stream = new StringBuilder();
        for (var i = 0; i < Chunks; i++)
            stream.Append(
                """data: {"id":"chatcmpl-123","object":"chat.completion.chunk","created":1694268190,"model":"gpt-fake","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}"""
                    + "\n\n"
            );
        _stream = Encoding.UTF8.GetBytes(stream.ToString());
    }

    /// <summary>As chunks usually come: each by itself.</summary>
    [Benchmark(OperationsPerInvoke = Chunks)]
    public int OneByOne() => Relay(_stream.Length / Chunks);

    /// <summary>Cut anywhere.</summary>
    [Benchmark(OperationsPerInvoke = Chunks)]
    public int Cut() => Relay(1000);

    private int Relay(int size)
    {
        _output.ResetWrittenCount();
        using var events = new SseReader();
        using var stream = new ChatStream(includesUsage: true);
        for (var at = 0; at < _stream.Length; at += size)
        {
            events.Feed(_stream.AsMemory(at, Math.Min(size, _stream.Length - at)));
            while (events.TryRead(out var sse))
                _output.Write(stream.Relay(sse).Span);
        }
        return _output.WrittenCount;
    }
}
