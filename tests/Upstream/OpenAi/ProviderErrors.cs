using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>The error bodies of those who speak OpenAI's wire in their own way.</summary>
internal static class ProviderErrors
{
    /// <summary>What Azure answers to a request without a key, or with a wrong one.</summary>
    public static Answer AzureNoKey { get; } =
        Azure(
            401,
            "401",
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for "
                + "an active subscription and use a correct regional API endpoint for your resource."
        );

    /// <summary>What Azure answers to a request without a version, or to an unknown URL.</summary>
    public static Answer AzureNotFound { get; } = Azure(404, "404", "Resource not found");

    /// <summary>What Azure answers when its filter found something in the prompt ("Content filtering", error codes).</summary>
    public static Answer AzureFiltered { get; } =
        Answer.Of(
            400,
            "application/json",
            Bytes(
                new JsonObject
                {
                    ["error"] = new JsonObject
                    {
                        ["message"] =
                            "The response was filtered due to the prompt triggering Azure OpenAI's content management "
                            + "policy. Please modify your prompt and retry. To learn more about our content filtering "
                            + "policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766",
                        ["type"] = null,
                        ["param"] = "prompt",
                        ["code"] = "content_filter",
                        ["status"] = 400,
                        ["innererror"] = new JsonObject
                        {
                            ["code"] = "ResponsibleAIPolicyViolation",
                            ["content_filter_result"] = AzureShape.Results(isPrompt: true, isFiltered: true),
                        },
                    },
                }
            )
        );

    /// <summary>The body for a status that was commanded.</summary>
    public static Answer Of(int status, string model, CommandSet commands) =>
        Answer.Of(status, "application/json", InStream(status, model, commands));

    /// <summary>The same as one line, for a stream that has begun.</summary>
    public static byte[] InStream(int status, string model, CommandSet commands) =>
        Bytes(new JsonObject { ["error"] = Error(status, model, commands) });

    private static JsonObject Error(int status, string model, CommandSet commands)
    {
        var phrase = ReasonPhrases.GetReasonPhrase(status);
        switch (commands.As)
        {
            case Provider.Azure:
                var (code, text) = AzureUsual(status, phrase);
                return new JsonObject
                {
                    ["code"] = commands.ErrorCode ?? code,
                    ["message"] = commands.ErrorMessage ?? text,
                };
            case Provider.OpenRouter:
                return new JsonObject
                {
                    ["message"] = commands.ErrorMessage ?? (status is 429 ? "Provider returned error" : phrase),
                    ["code"] = status,
                    ["metadata"] = new JsonObject { ["raw"] = $"{model} failed upstream", ["provider_name"] = "Fake" },
                };
            case Provider.VLlm:
                return new JsonObject
                {
                    ["message"] =
                        commands.ErrorMessage ?? (status is 404 ? $"The model `{model}` does not exist." : phrase),
                    ["type"] = commands.ErrorType ?? $"{phrase.Replace(" ", "", StringComparison.Ordinal)}Error",
                    ["param"] = null,
                    ["code"] = status,
                };
            default:
                return new JsonObject
                {
                    ["message"] = commands.ErrorMessage ?? (status is 404 ? $"model '{model}' not found" : phrase),
                    ["type"] =
                        commands.ErrorType
                        ?? status switch
                        {
                            404 => "not_found_error",
                            < 500 => "invalid_request_error",
                            _ => "api_error",
                        },
                    ["param"] = null,
                    ["code"] = null,
                };
        }
    }

    private static (string Code, string Message) AzureUsual(int status, string phrase) =>
        status switch
        {
            404 => (
                "DeploymentNotFound",
                "The API deployment for this resource does not exist. If you created the deployment within the last 5 "
                    + "minutes, please wait a moment and try again."
            ),
            429 => (
                "429",
                "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have "
                    + "exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after 20 seconds."
            ),
            _ => (status.ToString(CultureInfo.InvariantCulture), phrase),
        };

    private static Answer Azure(int status, string code, string message) =>
        Answer.Of(
            status,
            "application/json",
            Bytes(
                new JsonObject
                {
                    ["error"] = new JsonObject { ["code"] = code, ["message"] = message },
                }
            )
        );

    private static byte[] Bytes(JsonObject json) => Shapes.Bytes(json);
}
