using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace Verbatim.Platform.Http.Idempotency;

/// <summary>A response that is kept, to be given again.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Headers">Those of <see cref="KeptHeaders"/> that it has.</param>
/// <param name="Body">The body's bytes.</param>
internal sealed record IdempotentAnswer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    // What belongs to the answer. The rest belongs to the exchange: dates, lengths, ids of the request, traces.
    private static readonly string[] KeptHeaders = ["Content-Type", "Location", "ETag"];

    public static IdempotentAnswer Of(HttpResponse response, byte[] body) =>
        new(
            response.StatusCode,
            KeptHeaders
                .Where(response.Headers.ContainsKey)
                .ToDictionary(name => name, name => response.Headers[name].ToString(), StringComparer.Ordinal),
            body
        );

    public static IdempotentAnswer Read(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, IdempotencyJson.Default.IdempotentAnswer)!;

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, IdempotencyJson.Default.IdempotentAnswer);

    /// <summary>Gives it to a client.</summary>
    public async Task SendAsync(HttpContext context)
    {
        var response = context.Response;
        response.StatusCode = Status;
        foreach (var (name, value) in Headers)
            response.Headers[name] = value;
        if (Body.Length == 0)
            return;
        response.ContentLength = Body.Length;
        await response.Body.WriteAsync(Body, context.RequestAborted);
    }
}

[JsonSerializable(typeof(IdempotentAnswer))]
internal sealed partial class IdempotencyJson : JsonSerializerContext;
