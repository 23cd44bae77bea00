namespace Verbatim.Modules.Gateway.Wire.OpenAi;

/// <summary>What an event of a chat-completions stream is.</summary>
internal enum ChatStreamEvent
{
    /// <summary>No data: comments and keep-alives.</summary>
    Nothing,

    /// <summary>A chunk of the answer.</summary>
    Chunk,

    /// <summary>
    /// The chunk with the usage that a client gets only when it asked for it: no choices (empty, null or absent) and usage. To be left
    /// out where the caller did not ask.
    /// </summary>
    UsageOnly,

    /// <summary>An error that came after the status 200. It may carry a piece of the answer beside the error.</summary>
    Error,

    /// <summary><c>[DONE]</c>.</summary>
    Done,

    /// <summary>Behind <c>[DONE]</c>, where clients no longer look. Not part of the assembled answer.</summary>
    Late,

    /// <summary>Not a JSON object: counted, otherwise passed over.</summary>
    Unreadable,
}
