using System.Globalization;
using System.Text.Json;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.ChatClients;

/// <summary>Errors of the wire as exceptions.</summary>
internal static class CallErrors
{
    /// <summary>An error that the gateway says.</summary>
    public static ModelCallException Of(WireError error, string? retryAfter, Guid? inferenceId) =>
        new(error.Status, error.Code, error.Message)
        {
            Parameter = error.Param,
            RetryAfter = WaitOf(retryAfter),
            InferenceId = inferenceId,
        };

    /// <summary>An error as OpenAI's wire writes it, before an answer or in the middle of a stream.</summary>
    /// <param name="status">The status; null in a stream, where the error tells what it was.</param>
    /// <param name="body">The body, or the data of an event.</param>
    /// <param name="retryAfter">The header.</param>
    /// <param name="inferenceId">The call.</param>
    public static ModelCallException Of(int? status, ReadOnlyMemory<byte> body, string? retryAfter, Guid? inferenceId)
    {
        string? code = null;
        string? type = null;
        string? parameter = null;
        string? said = null;
        try
        {
            using var document = JsonDocument.Parse(body);
            if (
                document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("error", out var error)
            )
            {
                if (error.ValueKind == JsonValueKind.String)
                    said = ElementText.Of(error);
                else if (error.ValueKind == JsonValueKind.Object)
                    (code, type, parameter, said) = (
                        TextOf(error, "code"),
                        TextOf(error, "type"),
                        TextOf(error, "param"),
                        TextOf(error, "message")
                    );
            }
        }
        catch (JsonException)
        {
            // A page of a proxy in between: the status says enough.
        }
        var known = status ?? StatusOf(code ?? type);
        return new ModelCallException(
            known,
            code ?? type,
            string.Create(CultureInfo.InvariantCulture, $"The model's answer is an error ({known}).")
        )
        {
            Parameter = parameter,
            RetryAfter = WaitOf(retryAfter),
            InferenceId = inferenceId,
            ProviderMessage = said,
        };
    }

    // In a stream the status was sent long ago.
    private static int StatusOf(string? code) =>
        code switch
        {
            "upstream_timeout" => 504,
            "database_unavailable" or "overloaded_error" => 503,
            "rate_limit_exceeded" or "insufficient_quota" => 429,
            _ => 502,
        };

    private static string? TextOf(JsonElement error, string name) =>
        error.TryGetProperty(name, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.String => ElementText.Of(value),
                JsonValueKind.Number => value.GetRawText(),
                _ => null,
            }
            : null;

    // RFC 9110 §10.2.3 has dates too, which no provider of models sends.
    private static TimeSpan? WaitOf(string? retryAfter) =>
        double.TryParse(retryAfter, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
        && seconds < TimeSpan.MaxValue.TotalSeconds
            ? TimeSpan.FromSeconds(seconds)
            : null;
}
