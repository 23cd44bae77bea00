using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Inferences;

internal sealed class CreateChatCompletion(
    Deployments deployments,
    InferenceJournal journal,
    IdSource ids,
    TimeProvider time
) : IEndpoint
{
    private const string ClientRequestIdHeader = "x-client-request-id";
    private const string InferenceIdHeader = "x-verbatim-inference-id";

    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/chat/completions", (Delegate)HandleAsync)
            // The body is read here, so there is nothing that the framework could check.
            .DisableValidation()
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(OpenAiErrors.Dialect, OwnSizeLimit.Instance)
            .WithTags("OpenAI")
            .WithSummary("Ask a model for the next message of a chat")
            .WithDescription(
                """
                OpenAI's chat completions. The body goes to the provider as it is, unknown fields included, and the answer comes back as it is,
                as JSON or, with `stream: true`, as server-sent events. The call is on record before it is sent, and its outcome before you have
                the last byte: `x-verbatim-inference-id` names the record.
                """
            )
            .Accepts<ChatCompletionBody>("application/json")
            .Produces<ChatCompletionAnswer>(StatusCodes.Status200OK, "application/json", "text/event-stream")
            .WithRequestExample(ChatCompletionBody.Example, "JSON")
            .WithRequestExample(ChatCompletionBody.StreamExample, "stream")
            .WithResponseExample(StatusCodes.Status200OK, ChatCompletionAnswer.Example)
            .WithResponseExample(StatusCodes.Status200OK, ChatCompletionAnswer.StreamExample, "text/event-stream")
            .WithResponseHeader(
                InferenceIdHeader,
                "The stream of events that records this call, for `/api/audit/streams/{id}`."
            )
            .ProducesError(400, "invalid_type", "Invalid type for 'stream': expected a boolean.")
            .ProducesError(404, "model_not_found", OpenAiErrors.ModelNotFound("gpt-0").Message)
            .ProducesError(413, "body_too_large", "The body is larger than 8388608 bytes (Gateway:MaxRequestBytes).")
            .ProducesError(502, "upstream_unreachable", "The provider cannot be reached.")
            .ProducesError(504, "upstream_timeout", "The provider did not begin its answer in time.");

    private async Task HandleAsync(HttpContext http)
    {
        var arrival = Stopwatch.GetTimestamp();
        if (!http.Request.HasJsonContentType())
        {
            await Errors.WriteAsync(http, Errors.UnsupportedMediaType);
            return;
        }
        if (await RequestBody.ReadAsync(http.Request, deployments.MaxRequestBytes, http.RequestAborted) is not { } body)
        {
            await Errors.WriteAsync(
                http,
                new HttpError(
                    413,
                    "body-too-large",
                    $"The body is larger than {deployments.MaxRequestBytes} bytes (Gateway:MaxRequestBytes)."
                )
            );
            return;
        }
        if (!ChatRequest.TryRead(body, out var request, out var error))
        {
            await OpenAiErrors.WriteAsync(http, error);
            return;
        }
        if (deployments.Find(request.Model) is not { } deployment)
        {
            await OpenAiErrors.WriteAsync(http, OpenAiErrors.ModelNotFound(request.Model));
            return;
        }

        var caller = Caller.Of(http);
        var context = caller.For(http);
        var id = ids.New();
        await journal.StartAsync(
            context,
            id,
            new InferenceStarted(
                "openai.chat-completions",
                request.Model,
                deployment.Name,
                deployment.Provider,
                request.Stream,
                caller.PrincipalId,
                journal.Instance,
                ClientRequestIdOf(http.Request),
                new RawJson(body)
            ),
            http.RequestAborted
        );
        http.Response.Headers[InferenceIdHeader] = id.ToString();

        using var call = new ChatCall(
            http,
            request,
            deployment,
            outcome => journal.FinishAsync(context, id, outcome),
            time,
            arrival
        );
        await call.RunAsync();
    }

    private static string? ClientRequestIdOf(HttpRequest request)
    {
        var given = request.Headers[ClientRequestIdHeader];
        return given.Count == 1 && RequestId.IsSound(given[0]) ? given[0] : null;
    }
}

/// <summary>Takes Kestrel's limit off a route that counts the bytes itself, so that its own error is answered.</summary>
internal sealed class OwnSizeLimit : IRequestSizeLimitMetadata
{
    public static readonly OwnSizeLimit Instance = new();

    public long? MaxRequestBodySize => null;
}
