using System.Diagnostics.CodeAnalysis;
using Verbatim.Modules.Gateway.Wire.Anthropic;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Modules.Gateway.Wire.OpenAi.Responses;

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

    public static readonly CallerWire Responses = new(
        Operation.Responses,
        "openai.responses",
        ResponsesErrors.ForResponses
    );

    /// <summary>An operation whose answers are not always JSON, and are not looked into.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="name">What records call it.</param>
    public static CallerWire Raw(Operation operation, string name) =>
        new(operation, name, OpenAiErrors.Dialect) { IsRaw = true };

    /// <summary>Answers are passed on whatever they are.</summary>
    public bool IsRaw { get; private init; }

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
            Operation.Messages => new MessagesStream(),
            Operation.Responses => new ResponsesStream(),
            _ when IsRaw => new MediaStream(),
            _ => null,
        };

    /// <summary>Reads the usage of a whole answer, all of which is checked to be JSON in UTF-8.</summary>
    /// <returns>False when it is not one JSON object.</returns>
    public bool TryReadAnswer(ReadOnlySpan<byte> body, out TokenUsage? usage) =>
        Operation switch
        {
            Operation.Messages or Operation.CountTokens => MessagesUsage.TryReadResponse(body, out usage),
            Operation.Responses => ResponsesUsage.TryReadResponse(body, out usage),
            _ when IsRaw => TryReadRawAnswer(body, out usage),
            _ => TokenUsage.TryReadResponse(body, out usage),
        };

    // The usage of sound and images has the names that responses have.
    private static bool TryReadRawAnswer(ReadOnlySpan<byte> body, out TokenUsage? usage)
    {
        if (
            ResponsesUsage.TryReadResponse(body, out usage)
            && usage is { } read
            && (read.Prompt ?? read.Completion ?? read.Total) is null
        )
            usage = null;
        return true;
    }
}
