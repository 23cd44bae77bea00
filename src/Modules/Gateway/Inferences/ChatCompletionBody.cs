using System.Text.Json;
using System.Text.Json.Serialization;

namespace Verbatim.Modules.Gateway.Inferences;

// These two describe the wire in the OpenAPI document. The gateway itself reads three fields and passes all the others through.

/// <summary>A chat completion to ask for. Every further field of OpenAI's API is passed through to the provider.</summary>
/// <param name="Model">The model's name, as <c>GET /v1/models</c> lists it.</param>
/// <param name="Messages">The dialogue so far.</param>
/// <param name="Stream">Answer as server-sent events.</param>
/// <param name="StreamOptions">With <c>include_usage</c> a last chunk carries the usage.</param>
public sealed record ChatCompletionBody(
    string Model,
    IReadOnlyList<JsonElement> Messages,
    bool? Stream,
    [property: JsonPropertyName("stream_options")] JsonElement? StreamOptions
);

/// <summary>The provider's answer, as it came.</summary>
/// <param name="Id">The provider's id of the answer.</param>
/// <param name="Kind">Always <c>chat.completion</c>.</param>
/// <param name="Created">Seconds since 1970.</param>
/// <param name="Model">The model that answered.</param>
/// <param name="Choices">The answers.</param>
/// <param name="Usage">The tokens that were counted.</param>
public sealed record ChatCompletionAnswer(
    string Id,
    [property: JsonPropertyName("object")] string Kind,
    long Created,
    string Model,
    IReadOnlyList<JsonElement> Choices,
    JsonElement? Usage
);
