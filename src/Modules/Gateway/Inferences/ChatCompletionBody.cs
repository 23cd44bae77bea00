using System.Text.Json;
using System.Text.Json.Serialization;

namespace Verbatim.Modules.Gateway.Inferences;

// These describe the wire in the OpenAPI document. The gateway itself reads three fields and passes all the others through.

/// <summary>A chat completion to ask for: OpenAI's API. Fields that are not listed here are passed on to the provider like the others.</summary>
/// <param name="Model">The model's name, as <c>GET /v1/models</c> lists it.</param>
/// <param name="Messages">The dialogue so far.</param>
/// <param name="Stream">Answer as server-sent events.</param>
/// <param name="StreamOptions">Options of a stream.</param>
/// <param name="Temperature">How much chance there is in the answer, from 0 to 2.</param>
/// <param name="MaxCompletionTokens">The most tokens that the answer may cost.</param>
/// <param name="Tools">Functions that the model may call.</param>
internal sealed record ChatCompletionBody(
    string Model,
    IReadOnlyList<ChatCompletionMessage> Messages,
    bool Stream = false,
    [property: JsonPropertyName("stream_options"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        ChatCompletionStreamOptions? StreamOptions = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Temperature = null,
    [property: JsonPropertyName("max_completion_tokens"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        int? MaxCompletionTokens = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<JsonElement>? Tools = null
)
{
    public static readonly ChatCompletionBody Example = new("simulator", [new ChatCompletionMessage("user", "Hello!")]);

    public static readonly ChatCompletionBody StreamExample = Example with
    {
        Stream = true,
        StreamOptions = new ChatCompletionStreamOptions(IncludeUsage: true),
    };
}

/// <summary>One message of the dialogue.</summary>
/// <param name="Role"><c>system</c>, <c>developer</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Content">A text, or a list of parts for the models that take them.</param>
internal sealed record ChatCompletionMessage(string Role, object Content);

/// <summary>Options of a stream.</summary>
/// <param name="IncludeUsage">A last chunk carries the usage.</param>
internal sealed record ChatCompletionStreamOptions(
    [property: JsonPropertyName("include_usage")] bool IncludeUsage = false
);

/// <summary>The provider's answer, as it came. It may have more fields.</summary>
/// <param name="Id">The provider's id of the answer.</param>
/// <param name="Kind">Always <c>chat.completion</c>.</param>
/// <param name="Created">Seconds since 1970.</param>
/// <param name="Model">The model that answered.</param>
/// <param name="Choices">The answers; one, unless more were asked for.</param>
/// <param name="Usage">The tokens that were counted.</param>
internal sealed record ChatCompletionAnswer(
    string Id,
    [property: JsonPropertyName("object")] string Kind,
    long Created,
    string Model,
    IReadOnlyList<ChatCompletionChoice> Choices,
    ChatCompletionUsage? Usage = null
)
{
    public static readonly ChatCompletionAnswer Example = new(
        "chatcmpl-32fbf9338b6861664a10f0ab",
        "chat.completion",
        1_772_443_800,
        "simulator",
        [new ChatCompletionChoice(0, new ChatCompletionMessage("assistant", "Hello! How can I help?"), "stop")],
        new ChatCompletionUsage(1, 6, 7)
    );

    public const string StreamExample = """
        data: {"id":"chatcmpl-32fbf9338b6861664a10f0ab","object":"chat.completion.chunk","created":1772443800,"model":"simulator","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello!"},"finish_reason":null}],"usage":null}

        data: {"id":"chatcmpl-32fbf9338b6861664a10f0ab","object":"chat.completion.chunk","created":1772443800,"model":"simulator","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}

        data: {"id":"chatcmpl-32fbf9338b6861664a10f0ab","object":"chat.completion.chunk","created":1772443800,"model":"simulator","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":6,"total_tokens":7}}

        data: [DONE]


        """;
}

/// <summary>One answer.</summary>
/// <param name="Index">0 for the first.</param>
/// <param name="Message">What the model says.</param>
/// <param name="FinishReason">Why it ended: <c>stop</c>, <c>length</c>, <c>tool_calls</c> or <c>content_filter</c>.</param>
internal sealed record ChatCompletionChoice(
    int Index,
    ChatCompletionMessage Message,
    [property: JsonPropertyName("finish_reason")] string FinishReason
);

/// <summary>What the provider counted.</summary>
/// <param name="PromptTokens">Tokens of the dialogue so far.</param>
/// <param name="CompletionTokens">Tokens of the answer.</param>
/// <param name="TotalTokens">Both.</param>
internal sealed record ChatCompletionUsage(
    [property: JsonPropertyName("prompt_tokens")] long PromptTokens,
    [property: JsonPropertyName("completion_tokens")] long CompletionTokens,
    [property: JsonPropertyName("total_tokens")] long TotalTokens
);
