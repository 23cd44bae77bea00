using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi;

namespace Verbatim.Modules.Gateway.Providers.Simulator;

/// <summary>
/// The built-in model: answers <c>POST …/chat/completions</c> as OpenAI does, inside the process and without a socket, so that it runs
/// through the same path as any provider. The same body gives the same answer, id and usage. <c>docs/simulator.md</c> tells what it can do.
/// </summary>
/// <param name="time">The clock of <c>created</c> and of the delays.</param>
internal sealed class SimulatorHandler(TimeProvider time) : HttpMessageHandler
{
    /// <summary>The model's name; options may follow behind a colon.</summary>
    public const string Model = "simulator";

    private const string Json = "application/json";
    private const string EventStream = "text/event-stream; charset=utf-8";

    private readonly TimeProvider _time = time;

    /// <summary>Whether a model's name is the simulator's, with options or without.</summary>
    public static bool IsModel(string model) =>
        model.StartsWith(Model, StringComparison.Ordinal)
        && (model.Length == Model.Length || model[Model.Length] == ':');

    /// <summary>The error of a call that asked for one.</summary>
    internal static WireError AskedToFail(int status)
    {
        var message = string.Create(
            CultureInfo.InvariantCulture,
            $"The simulator was asked to fail with status {status}."
        );
        var code = status switch
        {
            401 => "invalid_api_key",
            404 => "model_not_found",
            429 => "rate_limit_exceeded",
            _ => null,
        };
        return new WireError(status, message, null, code);
    }

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (request.Method != HttpMethod.Post || !IsChatCompletions(request.RequestUri))
        {
            return Refuse(
                request,
                new WireError(404, "The simulator answers POST …/chat/completions only.", null, "unknown_url")
            );
        }

        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        if (!SimulatorRequest.TryRead(body, out var read, out var error))
            return Refuse(request, error);
        if (read.Options.Delay > TimeSpan.Zero)
            await Task.Delay(read.Options.Delay, _time, cancellationToken);
        if (read.Options.Status is { } status)
            return Fail(request, status, read.Options.RetryAfter);
        return Answer(request, read, body);
    }

    private static bool IsChatCompletions(Uri? uri) =>
        uri is not null && uri.AbsolutePath.EndsWith("/chat/completions", StringComparison.Ordinal);

    private HttpResponseMessage Answer(HttpRequestMessage request, SimulatorRequest read, byte[] body)
    {
        SimulatorAnswer answer;
        try
        {
            answer = SimulatorAnswer.To(read);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            return Refuse(request, SimulatorRequest.HalfSurrogate("tools"));
        }
        var wire = new SimulatorWire(read, answer, IdOf(body), _time.GetUtcNow().ToUnixTimeSeconds());
        if (read.Chat.Stream)
            return Respond(
                request,
                new StreamContent(new SimulatorStream(wire, answer, read.Options, _time)),
                EventStream
            );

        var writer = new ArrayBufferWriter<byte>(1024);
        wire.WriteCompletion(writer);
        HttpContent content = read.Options is { CutAfter: null, StallAfter: null }
            ? new ReadOnlyMemoryContent(writer.WrittenMemory)
            : new StreamContent(new FaultyBody(writer.WrittenMemory, read.Options, _time));
        content.Headers.ContentLength = writer.WrittenCount;
        return Respond(request, content, Json);
    }

    private static HttpResponseMessage Fail(HttpRequestMessage request, int status, int? retryAfter)
    {
        var response = Refuse(request, AskedToFail(status));
        if (retryAfter is { } seconds)
            response.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(seconds));
        return response;
    }

    private static HttpResponseMessage Refuse(HttpRequestMessage request, WireError error)
    {
        var writer = new ArrayBufferWriter<byte>(256);
        OpenAiErrors.Dialect.Write(writer, error, "");
        return Respond(request, new ReadOnlyMemoryContent(writer.WrittenMemory), Json, error.Status);
    }

    private static HttpResponseMessage Respond(
        HttpRequestMessage request,
        HttpContent content,
        string type,
        int status = 200
    )
    {
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return new HttpResponseMessage((HttpStatusCode)status) { RequestMessage = request, Content = content };
    }

    private static string IdOf(ReadOnlySpan<byte> body)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(body, hash);
        return "chatcmpl-" + Convert.ToHexStringLower(hash[..12]);
    }
}
