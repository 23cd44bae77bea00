namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>
/// What a caller asks a model for, in terms that belong to no wire. A reader makes it of one wire's body, a writer another wire's body of it.
/// What a member does not hold, the reader has reported already.
/// </summary>
internal sealed class ModelRequest
{
    /// <summary>The caller's name of the model.</summary>
    public string Model { get; set; } = "";

    public bool Stream { get; set; }

    /// <summary>The caller of a chat completion wants the chunk with the usage.</summary>
    public bool IncludesUsage { get; set; }

    public List<Turn> Turns { get; } = [];

    public List<ToolDefinition> Tools { get; } = [];

    public Given<ToolChoice>? ToolChoice { get; set; }

    public Given<bool>? ParallelToolCalls { get; set; }

    public Given<long>? MaxTokens { get; set; }

    public Given<Number>? Temperature { get; set; }

    public Given<Number>? TopP { get; set; }

    public Given<Number>? TopK { get; set; }

    public Given<Number>? Seed { get; set; }

    public Given<Number>? FrequencyPenalty { get; set; }

    public Given<Number>? PresencePenalty { get; set; }

    /// <summary>Only more than one.</summary>
    public Given<Number>? Choices { get; set; }

    /// <summary>Wanted with how many alternatives.</summary>
    public Given<int>? Logprobs { get; set; }

    public Given<ReadOnlyMemory<byte>>? LogitBias { get; set; }

    public Given<List<JsonText>>? Stop { get; set; }

    public Given<ResponseFormat>? Format { get; set; }

    public Given<Reasoning>? Reasoning { get; set; }

    public Given<ServiceTier>? ServiceTier { get; set; }

    public Given<JsonText>? Verbosity { get; set; }

    /// <summary>Who the caller's own user is.</summary>
    public Given<JsonText>? User { get; set; }

    public Given<ReadOnlyMemory<byte>>? Metadata { get; set; }

    public Given<bool>? Store { get; set; }

    public Given<JsonText>? PromptCacheKey { get; set; }

    /// <summary>A cache_control for the request as a whole.</summary>
    public ReadOnlyMemory<byte> CacheControl { get; set; }

    /// <summary>Members that an answer on the responses wire repeats of its request, each as <c>"name":value</c>.</summary>
    public List<ReadOnlyMemory<byte>> Echo { get; } = [];
}

/// <summary>Who speaks.</summary>
internal enum TurnRole
{
    System,
    User,
    Assistant,

    /// <summary>Has one part, a <see cref="ToolResultPart"/>.</summary>
    Tool,
}

/// <summary>One message.</summary>
internal sealed record Turn(TurnRole Role, string Path, List<Part> Parts);

/// <summary>A piece of a message.</summary>
/// <param name="Path">The caller's name of it: <c>messages[2].content[1]</c>.</param>
internal abstract record Part(string Path)
{
    /// <summary>The cache_control on it, raw; empty without one.</summary>
    public ReadOnlyMemory<byte> CacheControl { get; init; }
}

/// <summary>A text.</summary>
internal sealed record TextPart(string Path, JsonText Text) : Part(Path);

/// <summary>A refusal that the assistant gave.</summary>
internal sealed record RefusalPart(string Path, JsonText Text) : Part(Path);

/// <summary>Where the bytes of an image or a file are.</summary>
internal enum SourceKind
{
    Url,

    /// <summary>In base64, with a media type.</summary>
    Base64,

    /// <summary>As a text.</summary>
    Text,

    /// <summary>Uploaded before, at the provider whose wire the caller speaks.</summary>
    FileId,
}

/// <summary>Where the bytes of an image or a file are.</summary>
/// <param name="Kind">Which of the others say it.</param>
/// <param name="Data">The address, the base64, the text or the id.</param>
/// <param name="MediaType">For base64.</param>
internal sealed record Source(SourceKind Kind, JsonText Data, string? MediaType = null);

/// <summary>An image.</summary>
internal sealed record ImagePart(string Path, Source Source) : Part(Path)
{
    /// <summary><c>low</c>, <c>high</c>; not <c>auto</c>.</summary>
    public Given<JsonText>? Detail { get; init; }
}

/// <summary>A file or document.</summary>
internal sealed record FilePart(string Path, Source Source) : Part(Path)
{
    /// <summary>Its title or file name.</summary>
    public Given<JsonText>? Name { get; init; }

    public Given<JsonText>? Context { get; init; }

    /// <summary>Citations are to be made of it.</summary>
    public Given<bool>? Citations { get; init; }
}

/// <summary>Sound.</summary>
internal sealed record AudioPart(string Path, JsonText Data, JsonText Format) : Part(Path);

/// <summary>What a model thought, as it was given to the caller.</summary>
/// <param name="Path">The caller's name of it.</param>
/// <param name="Text">Readable; null where it is sealed only.</param>
/// <param name="Seal">What lets its provider know it again.</param>
internal sealed record ReasoningPart(string Path, JsonText? Text, ReasoningSeal Seal) : Part(Path);

/// <summary>A tool that the assistant called.</summary>
/// <param name="Path">The caller's name of it.</param>
/// <param name="Id">The call's id.</param>
/// <param name="Name">The tool.</param>
/// <param name="Arguments">JSON as a text, exactly; not always sound.</param>
internal sealed record ToolCallPart(string Path, JsonText Id, JsonText Name, JsonText Arguments) : Part(Path);

/// <summary>What a tool answered.</summary>
internal sealed record ToolResultPart(string Path, JsonText Id, List<Part> Content, bool IsError) : Part(Path);

/// <summary>A function that the model may call.</summary>
/// <param name="Path">The caller's name of it.</param>
/// <param name="Name">Its name.</param>
/// <param name="NamePath">The caller's name of that.</param>
/// <param name="Description">For the model; null without one.</param>
/// <param name="Schema">A JSON schema, raw; empty without one.</param>
/// <param name="Strict">Null where it is not said.</param>
internal sealed record ToolDefinition(
    string Path,
    JsonText Name,
    string NamePath,
    JsonText? Description,
    ReadOnlyMemory<byte> Schema,
    bool? Strict
)
{
    /// <summary>The cache_control on it, raw; empty without one.</summary>
    public ReadOnlyMemory<byte> CacheControl { get; init; }
}

/// <summary>Whether tools are to be called.</summary>
internal enum ToolChoiceKind
{
    Auto,
    None,

    /// <summary>Any of them, at least one.</summary>
    Required,

    /// <summary>This one.</summary>
    Named,

    /// <summary>Only some, by their names.</summary>
    Allowed,
}

/// <summary>Whether tools are to be called, and which.</summary>
/// <param name="Kind">Which sort.</param>
/// <param name="Names">Of <see cref="ToolChoiceKind.Named"/> the one, of <see cref="ToolChoiceKind.Allowed"/> all.</param>
/// <param name="IsRequired">Of <see cref="ToolChoiceKind.Allowed"/>: one of them must be called.</param>
internal sealed record ToolChoice(ToolChoiceKind Kind, IReadOnlyList<JsonText> Names, bool IsRequired = false);

/// <summary>What the answer's text is to be.</summary>
/// <param name="Name">Of a schema; null for any JSON object.</param>
/// <param name="Description">Of a schema.</param>
/// <param name="Schema">Raw; empty for any JSON object.</param>
/// <param name="Strict">Null where it is not said.</param>
internal sealed record ResponseFormat(JsonText? Name, JsonText? Description, ReadOnlyMemory<byte> Schema, bool? Strict);

/// <summary>How much the model is to think.</summary>
/// <param name="Effort"><c>none</c> to <c>max</c>, or null.</param>
/// <param name="Budget">A limit in tokens, or null.</param>
/// <param name="IsAdaptive">The model decides.</param>
/// <param name="Summary">How the thoughts are to be summed up, on the responses wire.</param>
internal sealed record Reasoning(string? Effort, long? Budget, bool IsAdaptive = false, JsonText? Summary = null);

/// <summary>How fast and dear.</summary>
internal enum ServiceTier
{
    Auto,
    Standard,

    /// <summary>One that only the caller's provider has.</summary>
    Other,
}

/// <summary>A number, exactly as the caller wrote it.</summary>
/// <param name="Raw">The bytes.</param>
/// <param name="Value">Near enough for comparisons.</param>
internal readonly record struct Number(ReadOnlyMemory<byte> Raw, double Value);
