using System.ComponentModel;
using System.Text;
using Verbatim.Modules.Audit.Changes;
using Verbatim.Modules.Audit.Replay;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Audit.Replay;

/// <summary>A short recorded stream: a call of a model that was answered after a while.</summary>
internal static class Recording
{
    public static readonly FoundStream Stream = new(
        Guid.Parse("0199a4b0-0000-7000-8000-000000000001"),
        Guid.Parse("0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77"),
        "inference",
        new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero).AddMicroseconds(123_456),
        "api-key:0199a4b0-1c2d-7e3f-8a4b-5c6d7e8f9a0b"
    );

    private const string Started = """
        {"status":"started","model":"simulator","attempts":[],"request":{"model":"simulator","messages":[{"role":"user","content":"Why is the sky blue?"}]}}
        """;

    private const string Completed = """
        {"status":"completed","model":"simulator","attempts":[{"number":1,"status":200}],"request":{"model":"simulator","messages":[{"role":"user","content":"Why is the sky blue?"}]},"usage":{"inputTokens":12,"outputTokens":3}}
        """;

    public static StateStep Start { get; } =
        new(
            Event(
                1,
                "gateway.inference-started",
                TimeSpan.Zero,
                """
                {"model":"simulator","request":{"model":"simulator","messages":[
                  {"role":"system","content":"You are terse."},
                  {"role":"user","content":"Why is the sky blue? Take the time that you need, and tell me how sure you are of your answer."}
                ],"temperature":0.2}}
                """
            ),
            IsIntact: true,
            Before: null,
            After: Json(Started),
            new Call(CallStatus.Started),
            Fault: null
        );

    public static StateStep Complete { get; } =
        new(
            Event(
                2,
                "gateway.inference-completed",
                TimeSpan.FromMilliseconds(1333.333),
                """
                {"usage":{"inputTokens":12,"outputTokens":3},"latency":{"firstByteMs":210.5,"totalMs":1333.3},"response":{"choices":[{"index":0,"message":{"role":"assistant","content":"Rayleigh scattering."},"finish_reason":"stop"}]}}
                """
            ),
            IsIntact: true,
            Before: Json(Started),
            After: Json(Completed),
            new Call(CallStatus.Completed),
            Fault: null
        );

    public static RawJson Json(string text) => new(Encoding.UTF8.GetBytes(text.Trim()));

    public static RecordedEvent Event(long version, string type, TimeSpan after, string data) =>
        new()
        {
            Position = 4810 + version,
            TenantId = Stream.TenantId,
            StreamId = Stream.StreamId,
            StreamType = Stream.StreamType,
            Version = version,
            Type = type,
            TypeVersion = 1,
            Time = Stream.BeganAt + after,
            Actor = Stream.BeganBy,
            Correlation = "7c1d4f",
            Data = Encoding.UTF8.GetBytes(data.Trim()),
            LeafHash = Enumerable.Repeat((byte)0xAB, 32).ToArray(),
        };

    internal sealed record Call(CallStatus Status);

    internal enum CallStatus
    {
        [Description("Under way: no outcome is recorded yet.")]
        Started,

        Completed,

        [Description(
            "The server ended before it could record what came of the call: the provider may have answered or not."
        )]
        Unknown,
    }
}
