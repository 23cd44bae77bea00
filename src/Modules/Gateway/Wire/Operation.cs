namespace Verbatim.Modules.Gateway.Wire;

/// <summary>What a model API can be asked for, on the wire that it is asked by.</summary>
internal enum Operation
{
    /// <summary>OpenAI's <c>POST /v1/chat/completions</c>, which most other providers speak too.</summary>
    ChatCompletions,

    /// <summary>OpenAI's <c>POST /v1/responses</c>.</summary>
    Responses,

    /// <summary>Anthropic's <c>POST /v1/messages</c>.</summary>
    Messages,

    /// <summary>Anthropic's <c>POST /v1/messages/count_tokens</c>.</summary>
    CountTokens,

    /// <summary>OpenAI's <c>POST /v1/embeddings</c>.</summary>
    Embeddings,

    /// <summary>OpenAI's legacy <c>POST /v1/completions</c>.</summary>
    Completions,

    /// <summary>OpenAI's <c>POST /v1/moderations</c>.</summary>
    Moderations,

    /// <summary>OpenAI's <c>POST /v1/audio/speech</c>.</summary>
    Speech,

    /// <summary>OpenAI's <c>POST /v1/audio/transcriptions</c>.</summary>
    Transcriptions,

    /// <summary>OpenAI's <c>POST /v1/audio/translations</c>.</summary>
    AudioTranslations,

    /// <summary>OpenAI's <c>POST /v1/images/generations</c>.</summary>
    ImageGenerations,

    /// <summary>OpenAI's <c>POST /v1/images/edits</c>.</summary>
    ImageEdits,

    /// <summary>OpenAI's <c>POST /v1/images/variations</c>.</summary>
    ImageVariations,
}
