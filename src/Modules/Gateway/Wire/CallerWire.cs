using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;
using Verbatim.Modules.Gateway.Wire.Anthropic;
using Verbatim.Modules.Gateway.Wire.OpenAi;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>An operation as callers ask for it: how its requests are read, and how its answers are told apart.</summary>
/// <param name="Operation">The operation.</param>
/// <param name="Name">What records call it: <c>openai.chat-completions</c>.</param>
/// <param name="Dialect">How it says that something went wrong.</param>
/// <param name="HasStreamOptions">It has <c>stream_options.include_usage</c>.</param>
internal sealed record CallerWire(Operation Operation, string Name, WireDialect Dialect, bool HasStreamOptions = false)
{
    public static readonly CallerWire ChatCompletions = new(
        Operation.ChatCompletions,
        "openai.chat-completions",
        OpenAiErrors.Dialect,
        HasStreamOptions: true
    );

    public static readonly CallerWire Messages = new(Operation.Messages, "anthropic.messages", AnthropicErrors.Dialect);

    public static readonly CallerWire CountTokens = new(
        Operation.CountTokens,
        "anthropic.count-tokens",
        AnthropicErrors.Dialect
    );

    public static readonly CallerWire Embeddings = new(Operation.Embeddings, "openai.embeddings", OpenAiErrors.Dialect);

    public static readonly CallerWire Completions = new(
        Operation.Completions,
        "openai.completions",
        OpenAiErrors.Dialect,
        HasStreamOptions: true
    );

    public static readonly CallerWire Moderations = new(
        Operation.Moderations,
        "openai.moderations",
        OpenAiErrors.Dialect
    );

    /// <summary>Reads a request's body. Never throws.</summary>
    public bool TryRead(
        ReadOnlyMemory<byte> body,
        [NotNullWhen(true)] out WireRequest? request,
        [NotNullWhen(false)] out WireError? error
    ) => WireRequest.TryRead(body, out request, out error, HasStreamOptions);

    /// <summary>The relay of a stream whose provider speaks this wire too; null where the operation has no streams.</summary>
    public AnswerStream? OpenStream(WireRequest request) =>
        Operation switch
        {
            Operation.ChatCompletions or Operation.Completions => new ChatStream(request.IncludesUsage),
            _ => null,
        };

    /// <summary>Reads the usage of a whole answer, all of which is checked to be JSON in UTF-8.</summary>
    /// <returns>False when it is not one JSON object.</returns>
    public bool TryReadAnswer(ReadOnlySpan<byte> body, out TokenUsage? usage)
    {
        switch (Operation)
        {
            case Operation.Messages or Operation.CountTokens or Operation.Responses:
                usage = null;
                return IsObject(body);
            default:
                return TokenUsage.TryReadResponse(body, out usage);
        }
    }

    private static bool IsObject(ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body))
            return false;
        try
        {
            var reader = new Utf8JsonReader(body);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            reader.Skip();
            _ = reader.Read();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
