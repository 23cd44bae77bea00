using System.Collections.Frozen;
using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>
/// The answer of <c>POST /v1/completions</c>, as JSON or as a stream whose last event has the reason of the end (API
/// reference, "The completion object").
/// </summary>
internal sealed class LegacyCompletion
{
    private const int IdLength = 29;
    private const int MostChoices = 128;

    public static readonly FrozenSet<string> Meaningless = Embeddings.Without(
        "id",
        "model",
        "text",
        "chunk_text",
        "bytes",
        "echo",
        "chunks",
        "finish_reason",
        "usage",
        "done",
        "logprobs"
    );

    private readonly JsonElement _request;
    private readonly string _model;
    private readonly CommandSet _commands;
    private readonly string[] _pieces;
    private readonly int _choices;

    private LegacyCompletion(JsonElement request, string model, CommandSet commands, string[] pieces)
    {
        _request = request;
        _model = commands.Model ?? model;
        _commands = commands;
        _pieces = pieces;
        _choices =
            PromptsIn(request)
            * (request.TryGetProperty("n", out var n) && n.ValueKind is JsonValueKind.Number ? n.GetInt32() : 1);
    }

    /// <exception cref="InvalidRequestException">The request is wrong.</exception>
    public static void Check(OpenAiCheck request)
    {
        request.Optional("model")?.Text();
        request.Optional("stream")?.Flag();
        if (request.Optional("n") is { } n && n.Integer(least: 1) > MostChoices)
            throw n.Wrong(
                $"Invalid 'n': integer above maximum value. Expected a value <= {MostChoices}.",
                "integer_above_max_value"
            );
        request.Optional("max_tokens")?.Integer(least: 0);
        request.Optional("temperature")?.Number(0, 2);
        request.Only(
            "model",
            "prompt",
            "best_of",
            "echo",
            "frequency_penalty",
            "logit_bias",
            "logprobs",
            "max_tokens",
            "n",
            "presence_penalty",
            "seed",
            "stop",
            "stream",
            "stream_options",
            "suffix",
            "temperature",
            "top_p",
            "user",
            "x_upstream"
        );
        if (request.Optional("prompt") is { IsText: false } prompt)
        {
            foreach (var item in prompt.Items())
            {
                if (item is { IsText: false, IsArray: false, Kind: not JsonValueKind.Number })
                    item.Text();
            }
        }
    }

    public static Answer Of(JsonElement request, string model, CommandSet commands, ReadOnlySpan<byte> body)
    {
        var completion = new LegacyCompletion(request, model, commands, ModelText.Pieces(commands, body));
        return IsStream(request) ? completion.Stream() : completion.Json();
    }

    public static bool IsStream(JsonElement request) =>
        request.TryGetProperty("stream", out var stream) && stream.ValueKind is JsonValueKind.True;

    private bool IncludesUsage =>
        _request.TryGetProperty("stream_options", out var options)
        && options.ValueKind is JsonValueKind.Object
        && options.TryGetProperty("include_usage", out var include)
        && include.ValueKind is JsonValueKind.True;

    private static int PromptsIn(JsonElement request) =>
        request.TryGetProperty("prompt", out var prompt)
        && prompt.ValueKind is JsonValueKind.Array
        && prompt.GetArrayLength() > 0
        && prompt[0].ValueKind is not JsonValueKind.Number
            ? prompt.GetArrayLength()
            : 1;

    private Answer Json()
    {
        var contentType = _commands.ContentType ?? "application/json";
        if (_commands.GarbageAfter is not null)
            return Answer.Of(200, contentType, """{"id":"cmpl-broken","object":"text_completion","cho"""u8.ToArray());
        if (_commands.ErrorAfter is not null)
            return Answer.Of(200, contentType, OpenAiErrors.InStream(_commands));
        var body = JsonBody.Indented(writer =>
        {
            WriteHead(writer);
            writer.WriteString("model"u8, _model);
            writer.WriteStartArray("choices"u8);
            for (var index = 0; index < _choices; index++)
                WriteChoice(writer, index, string.Concat(_pieces), FinishReason);
            writer.WriteEndArray();
            WriteUsage(writer);
        });
        return Answer.Json(_commands.Status ?? 200, contentType, body);
    }

    private Answer Stream()
    {
        var events = new EventStream(_commands);
        foreach (var piece in _pieces)
        {
            for (var index = 0; index < _choices; index++)
                Add(events, index, piece, null);
        }

        for (var index = 0; index < _choices; index++)
            Add(events, index, "", FinishReason);
        if (IncludesUsage && _commands.Usage is not (UsageKind.None or UsageKind.Null))
            events.Add(Event(writer => WriteChoices(writer, null), hasUsage: true));
        if (_commands.GarbageAfter is { } garbage)
        {
            events.CheckReached("garbage_after", garbage);
            events.Add("""{"id":"cmpl-broken","object":"text_comple"""u8);
            events.MoveLastTo(garbage);
        }

        if (_commands.ErrorAfter is { } error)
        {
            events.CheckReached("error_after", error);
            events.Truncate(error);
            events.Add(OpenAiErrors.InStream(_commands));
        }

        if (_commands.Done ?? _commands.ErrorAfter is null)
            events.Add("[DONE]"u8);
        var contentType = _commands.ContentType ?? EventStream.ContentType;
        return new Answer(_commands.Status ?? 200, contentType, events.Parts, IsStream: true);
    }

    private string FinishReason => _commands.FinishReason ?? "stop";

    private void Add(EventStream events, int index, string text, string? finishReason) =>
        events.Add(
            Event(writer => WriteChoices(writer, () => WriteChoice(writer, index, text, finishReason)), hasUsage: false)
        );

    private byte[] Event(Action<Utf8JsonWriter> writeChoices, bool hasUsage) =>
        JsonBody.Compact(writer =>
        {
            WriteHead(writer);
            writeChoices(writer);
            writer.WriteString("model"u8, _model);
            if (hasUsage)
                WriteUsage(writer);
            else if (IncludesUsage && _commands.Usage is not UsageKind.None)
                writer.WriteNull("usage"u8);
        });

    private void WriteHead(Utf8JsonWriter writer)
    {
        writer.WriteString("id"u8, _commands.Id ?? "cmpl-" + Placeholder.Id(IdLength));
        writer.WriteString("object"u8, "text_completion"u8);
        writer.WriteNumber("created"u8, Placeholder.Time);
    }

    private static void WriteChoices(Utf8JsonWriter writer, Action? write)
    {
        writer.WriteStartArray("choices"u8);
        write?.Invoke();
        writer.WriteEndArray();
    }

    private void WriteChoice(Utf8JsonWriter writer, int index, string text, string? finishReason)
    {
        writer.WriteStartObject();
        writer.WriteString("text"u8, text);
        writer.WriteNumber("index"u8, index);
        if (_commands.Logprobs && text.Length > 0)
        {
            writer.WriteStartObject("logprobs"u8);
            writer.WriteStartArray("tokens"u8);
            writer.WriteStringValue(text);
            writer.WriteEndArray();
            writer.WriteStartArray("token_logprobs"u8);
            writer.WriteNumberValue(-0.25);
            writer.WriteEndArray();
            writer.WriteNull("top_logprobs"u8);
            writer.WriteStartArray("text_offset"u8);
            writer.WriteNumberValue(0);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        else
        {
            writer.WriteNull("logprobs"u8);
        }

        writer.WriteString("finish_reason"u8, finishReason);
        writer.WriteEndObject();
    }

    private void WriteUsage(Utf8JsonWriter writer)
    {
        if (_commands.Usage is UsageKind.Null)
            writer.WriteNull("usage"u8);
        else if (_commands.Usage is not UsageKind.None)
            Usage.Of(_commands, _pieces.Length * _choices).WriteTo(writer);
    }
}
