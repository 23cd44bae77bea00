using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Verbatim.Modules.Gateway.Models.Configured;
using Verbatim.Modules.Gateway.Providers.Simulator;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>Tries a provider out with real calls: its list of models, and one token of a model.</summary>
[Singleton]
internal sealed class ProviderProbe(ConfiguredSettings configured, TimeProvider time)
{
    /// <summary>How long a provider may take for each answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private const int MaxBytes = 4 * 1024 * 1024;
    private const int MaxModels = 1000;

    // Azure lists what could be deployed, and not what is. A deployment that there cannot be tells about the way there and the key.
    private const string NoDeployment = "verbatim-probe";

    /// <summary>Makes the calls. Never throws for what a provider does.</summary>
    /// <param name="terms">What it is said to be.</param>
    /// <param name="credential">Its credential.</param>
    /// <param name="model">A model to ask for one token; null to ask none.</param>
    /// <param name="patience">How long each answer may take.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    public async Task<ProbeResult> TryAsync(
        ProviderTerms terms,
        string? credential,
        string? model,
        TimeSpan patience,
        CancellationToken cancellationToken
    )
    {
        var settings = ProviderSettings.Of(Guid.Empty, terms);
        HttpMessageHandler handler =
            settings.Kind == ProviderKind.Simulator
                ? new SimulatorHandler(time)
                : Provider.OverNetwork(settings.ConnectTimeout, configured.Options.AllowPrivateAddresses);
        using var provider = new Provider(settings, credential, handler);
        var result = settings.Kind switch
        {
            ProviderKind.Simulator => new ProbeResult(0, ["simulator"], null),
            ProviderKind.AzureOpenAi => new ProbeResult(0, [], null),
            _ => await ListAsync(provider, patience, cancellationToken),
        };
        if (!result.IsValid || (model is null && settings.Kind != ProviderKind.AzureOpenAi))
            return result;
        var asked = await AskAsync(provider, model, patience, cancellationToken);
        return result with { LatencyMs = asked.LatencyMs, Error = asked.Error };
    }

    private async Task<ProbeResult> ListAsync(Provider provider, TimeSpan patience, CancellationToken cancellationToken)
    {
        var path = provider.Kind == ProviderKind.Anthropic ? "models?limit=1000" : "models";
        using var request = new HttpRequestMessage(HttpMethod.Get, provider.AddressOf(path, ""));
        var answer = await SendAsync(provider, request, patience, cancellationToken);
        if (answer.Error is { } error)
            return new ProbeResult(answer.LatencyMs, [], error);
        return answer.Status switch
        {
            HttpStatusCode.OK when ModelsOf(answer.Body) is { } models => new ProbeResult(
                answer.LatencyMs,
                models,
                null
            ),
            HttpStatusCode.OK => new ProbeResult(answer.LatencyMs, [], ProbeError.NotAnApi),
            HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed => new ProbeResult(
                answer.LatencyMs,
                [],
                ProbeError.WrongPath
            ),
            var status => new ProbeResult(answer.LatencyMs, [], ProbeError.Of(status)),
        };
    }

    private async Task<ProbeResult> AskAsync(
        Provider provider,
        string? model,
        TimeSpan patience,
        CancellationToken cancellationToken
    )
    {
        var path = provider.Kind == ProviderKind.Anthropic ? "messages" : "chat/completions";
        using var request = new HttpRequestMessage(HttpMethod.Post, provider.AddressOf(path, model ?? NoDeployment))
        {
            Content = new ByteArrayContent(BodyFor(provider.Kind, model ?? NoDeployment))
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            },
        };
        var answer = await SendAsync(provider, request, patience, cancellationToken);
        var isJson = IsObject(answer.Body);
        var error = answer switch
        {
            { Error: { } failed } => failed,
            { Status: HttpStatusCode.OK } => isJson ? null : ProbeError.NotAnApi,
            // As Azure says it: {"error":{"code":"DeploymentNotFound",…}}.
            { Status: HttpStatusCode.NotFound } when provider.Kind == ProviderKind.AzureOpenAi => Says(
                answer.Body,
                "DeploymentNotFound"
            )
                ? (model is null ? null : ProbeError.UnknownModel)
                : ProbeError.WrongPath,
            { Status: HttpStatusCode.NotFound } => isJson ? ProbeError.UnknownModel : ProbeError.WrongPath,
            // A model that thinks may need more than one token to say anything: it was reached all the same.
            { Status: HttpStatusCode.BadRequest } when Says(answer.Body, "output limit was reached") => null,
            { Status: HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity } => ProbeError.Refused,
            { Status: var status } => ProbeError.Of(status),
        };
        return new ProbeResult(answer.LatencyMs, [], error);
    }

    private async Task<ProbeAnswer> SendAsync(
        Provider provider,
        HttpRequestMessage request,
        TimeSpan patience,
        CancellationToken cancellationToken
    )
    {
        using var late = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        var began = time.GetTimestamp();
        try
        {
            using var response = await provider.SendAsync(request, callerHeaders: null, either.Token);
            var body = await ReadAsync(response.Content, either.Token);
            return new ProbeAnswer(response.StatusCode, body, Elapsed(), null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ProbeAnswer(default, [], Elapsed(), ProbeError.TimedOut);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new ProbeAnswer(default, [], Elapsed(), ProbeError.Of(e));
        }

        double Elapsed() => Math.Round(time.GetElapsedTime(began).TotalMilliseconds, 3);
    }

    private static async Task<byte[]> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int read;
        while (body.Length < MaxBytes && (read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
            body.Write(buffer, 0, read);
        return body.ToArray();
    }

    private static byte[] BodyFor(ProviderKind kind, string model)
    {
        // OpenAI's newer models refuse max_tokens, and other servers know nothing else.
        var limit = kind is ProviderKind.OpenAi or ProviderKind.AzureOpenAi ? "max_completion_tokens" : "max_tokens";
        return Encoding.UTF8.GetBytes(
            $$"""{"model":{{JsonSerializer.Serialize(model)}},"{{limit}}":1,"messages":[{"role":"user","content":"Hi"}]}"""
        );
    }

    // OpenAI's list, Anthropic's and everybody's else: an object with an array "data" of objects with an "id".
    private static List<string>? ModelsOf(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            if (
                json.RootElement.ValueKind != JsonValueKind.Object
                || !json.RootElement.TryGetProperty("data", out var data)
                // Ollama without a model says null.
                || data.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null)
            )
                return null;
            if (data.ValueKind == JsonValueKind.Null)
                return [];
            return
            [
                .. data.EnumerateArray()
                    .Take(MaxModels)
                    .Select(static m =>
                        m.ValueKind == JsonValueKind.Object
                        && m.TryGetProperty("id", out var id)
                        && id.ValueKind == JsonValueKind.String
                            ? id.GetString()!
                            : ""
                    )
                    .Where(static id => id.Length is > 0 and <= 200),
            ];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a name or a text that is no Unicode.
            return null;
        }
    }

    private static bool IsObject(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool Says(byte[] body, string words) => body.AsSpan().IndexOf(Encoding.UTF8.GetBytes(words)) >= 0;

    private sealed record ProbeAnswer(HttpStatusCode Status, byte[] Body, double LatencyMs, ProbeError? Error);
}

/// <summary>What came of trying a provider out.</summary>
/// <param name="LatencyMs">How long the last answer took, in milliseconds.</param>
/// <param name="Models">The models that it lists.</param>
/// <param name="Error">What was wrong; null when nothing was.</param>
internal sealed record ProbeResult(double LatencyMs, IReadOnlyList<string> Models, ProbeError? Error)
{
    public bool IsValid => Error is null;
}
