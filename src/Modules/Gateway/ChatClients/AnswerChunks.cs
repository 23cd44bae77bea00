using System.Text.Json;
using Microsoft.Extensions.AI;
using Verbatim.Contracts;

namespace Verbatim.Modules.Gateway.ChatClients;

/// <summary>The chunks of a stream as updates.</summary>
/// <param name="model">The model that was asked.</param>
/// <param name="inferenceId">The call's record.</param>
internal sealed class AnswerChunks(string model, Guid? inferenceId)
{
    private readonly AnswerContents _contents = new(model);
    private ModelCallException? _error;
    private bool _hasBegun;
    private string? _id;
    private string? _model;
    private DateTimeOffset? _createdAt;

    /// <summary>Reads an event's data; null when it says nothing. An error is remembered: the stream ends by itself behind it.</summary>
    public ChatResponseUpdate? Read(ReadOnlyMemory<byte> data)
    {
        try
        {
            using var document = JsonDocument.Parse(data);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return Read(document.RootElement, data);
        }
        catch (JsonException)
        {
            // Relayed as a provider sent it; clients of the wire pass over what they cannot read.
        }
        return null;
    }

    /// <summary>What is left when a stream ends without saying why: tool calls that had come.</summary>
    public ChatResponseUpdate? End()
    {
        var contents = new List<AIContent>();
        _contents.TakeToolCalls(contents);
        return contents.Count > 0 ? Update(contents) : null;
    }

    /// <exception cref="ModelCallException">The stream said that it failed.</exception>
    public void ThrowIfFailed()
    {
        if (_error is not null)
            throw _error;
    }

    private ChatResponseUpdate? Read(JsonElement root, ReadOnlyMemory<byte> data)
    {
        if (root.TryGetProperty("error", out var error) && error.ValueKind is not JsonValueKind.Null)
        {
            _error ??= CallErrors.Of(status: null, data, retryAfter: null, inferenceId);
            return null;
        }
        _id ??= AnswerFacts.Id(root);
        _model ??= AnswerFacts.Model(root);
        _createdAt ??= AnswerFacts.CreatedAt(root);

        var contents = new List<AIContent>();
        ChatFinishReason? reason = null;
        if (AnswerFacts.Choice(root) is { } choice)
        {
            if (choice.TryGetProperty("delta", out var delta))
                _contents.Read(delta, contents);
            reason = AnswerFacts.FinishReason(choice);
            if (reason is not null)
                _contents.TakeToolCalls(contents);
        }
        if (AnswerFacts.Usage(root) is { } usage)
            contents.Add(new UsageContent(usage));
        if (contents.Count == 0 && reason is null && _hasBegun)
            return null;
        var update = Update(contents);
        update.FinishReason = reason;
        return update;
    }

    private ChatResponseUpdate Update(List<AIContent> contents)
    {
        var update = new ChatResponseUpdate(ChatRole.Assistant, contents)
        {
            ResponseId = _id,
            MessageId = _id,
            ModelId = _model,
            CreatedAt = _createdAt,
        };
        if (!_hasBegun && inferenceId is { } inference)
            update.AdditionalProperties = new AdditionalPropertiesDictionary
            {
                [IModelClients.InferenceId] = inference,
            };
        _hasBegun = true;
        return update;
    }
}
