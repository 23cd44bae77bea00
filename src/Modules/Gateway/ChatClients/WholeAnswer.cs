using System.Text.Json;
using Microsoft.Extensions.AI;
using Verbatim.Contracts;

namespace Verbatim.Modules.Gateway.ChatClients;

/// <summary>A chat completion as a response.</summary>
internal static class WholeAnswer
{
    /// <exception cref="ModelCallException">It is none.</exception>
    public static ChatResponse Read(ReadOnlyMemory<byte> body, string model, Guid? inferenceId)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && AnswerFacts.Choice(root) is { } choice)
                return Read(root, choice, model, inferenceId);
        }
        catch (JsonException)
        {
            // The relay checks bodies of providers, so this is not one.
        }
        throw new ModelCallException(502, "upstream_broken", "The model's answer is no chat completion.")
        {
            InferenceId = inferenceId,
        };
    }

    private static ChatResponse Read(JsonElement root, JsonElement choice, string model, Guid? inferenceId)
    {
        var contents = new List<AIContent>();
        var reader = new AnswerContents(model);
        if (choice.TryGetProperty("message", out var message))
            reader.Read(message, contents);
        reader.TakeToolCalls(contents);
        var id = AnswerFacts.Id(root);
        var said = new ChatMessage(ChatRole.Assistant, contents) { MessageId = id };
        if (inferenceId is { } inference)
            said.AdditionalProperties = new AdditionalPropertiesDictionary { [IModelClients.InferenceId] = inference };
        return new ChatResponse(said)
        {
            ResponseId = id,
            ModelId = AnswerFacts.Model(root),
            CreatedAt = AnswerFacts.CreatedAt(root),
            FinishReason = AnswerFacts.FinishReason(choice),
            Usage = AnswerFacts.Usage(root),
        };
    }
}
