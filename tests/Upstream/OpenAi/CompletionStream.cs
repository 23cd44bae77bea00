using System.Buffers;
using System.Text;
using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>
/// The answer as a stream of chat.completion.chunk events. Order and presence of the fields are those of streams
/// recorded from OpenAI in December 2025. With include_usage every event has <c>"usage":null</c> but an extra
/// last one, which has the figures and no choices (OpenAI API reference, stream_options).
/// </summary>
internal sealed class CompletionStream
{
    /// <summary>Random text at OpenAI, so that sizes on the wire do not tell tokens; fixed here, of the same lengths.</summary>
    private const string Obfuscation = "v3JkrR4kfc2Yj6";

    private static readonly byte[] Garbage =
        """{"id":"chatcmpl-broken","object":"chat.completion.chunk","choices":[{"index":0,"del"""u8.ToArray();

    private readonly Completion _completion;
    private readonly CommandSet _commands;
    private readonly EventStream _events;
    private readonly ArrayBufferWriter<byte> _buffer = new();

    private CompletionStream(Completion completion)
    {
        _completion = completion;
        _commands = completion.Commands;
        _events = new EventStream(_commands);
    }

    // OpenRouter counts without being asked.
    private bool HasUsage =>
        (_completion.IncludeUsage || _commands.As is Provider.OpenRouter) && _commands.Usage is not UsageKind.None;

    public static Answer Of(Completion completion)
    {
        var parts = new CompletionStream(completion).Write();
        var contentType = completion.Commands.ContentType ?? EventStream.ContentType;
        return new Answer(completion.Commands.Status ?? 200, contentType, parts, IsStream: true);
    }

    private Part[] Write()
    {
        if (_commands.As is Provider.Azure)
            _events.Add(Encoding.UTF8.GetBytes(AzureShape.First.ToJsonString()));
        if (_commands.As is Provider.OpenRouter)
            _events.LeadingComment = "OPENROUTER PROCESSING";
        if (_commands.Choices is not ChoicesKind.Normal)
            AddWithoutChoice(usage: null, Obfuscation);
        AddChoices();
        if (HasUsage && _commands.Usage is not UsageKind.Null && _commands.UsageIn is not UsagePlace.Finish)
            AddWithoutChoice(_completion.UsageAfter(_completion.Tokens), Obfuscation[..10]);
        if (_commands.UnknownAfter is { } unknown)
        {
            _events.CheckReached("unknown_after", unknown);
            _events.Add("""{"object":"chat.completion.future","future":"?"}"""u8);
            _events.MoveLastTo(unknown);
        }

        if (_commands.GarbageAfter is { } garbage)
        {
            _events.CheckReached("garbage_after", garbage);
            _events.Add(Garbage);
            _events.MoveLastTo(garbage);
        }

        if (_commands.ErrorAfter is { } error)
        {
            _events.CheckReached("error_after", error);
            _events.Truncate(error);
            if (_commands.As is Provider.OpenRouter)
                AddOpenRouterError();
            else
                _events.Add(OpenAiErrors.InStream(_commands));
        }

        if (_commands.Done ?? _commands.ErrorAfter is null)
            _events.Add("[DONE]"u8);
        return _events.Parts;
    }

    /// <summary>
    /// Several choices take turns, each beginning with its role and its first piece, and end one after another.
    /// </summary>
    private void AddChoices()
    {
        var deltas = Delta.Of(_completion);
        var beginning = Math.Min(2, deltas.Count);
        for (var choice = 0; choice < _completion.Choices; choice++)
        {
            for (var index = 0; index < beginning; index++)
                Add(choice, deltas[index], index);
        }

        for (var index = beginning; index < deltas.Count; index++)
        {
            for (var choice = 0; choice < _completion.Choices; choice++)
                Add(choice, deltas[index], index);
        }

        for (var choice = 0; choice < _completion.Choices; choice++)
            Add(choice, new Delta { FinishReason = _completion.FinishReason }, deltas.Count);
    }

    private void Add(int choice, Delta delta, int index)
    {
        using (var writer = Begin())
        {
            writer.WriteStartArray("choices"u8);
            writer.WriteStartObject();
            writer.WriteNumber("index"u8, choice);
            delta.WriteTo(writer, _completion.ReasoningAs);
            CompletionJson.WriteLogprobs(
                writer,
                _completion,
                delta.Content is { Length: > 0 } text ? [text] : [],
                delta.Refusal is { } refusal ? [refusal] : []
            );
            writer.WriteString("finish_reason"u8, delta.FinishReason);
            writer.WriteEndObject();
            writer.WriteEndArray();
            var isLast = delta.FinishReason is not null && choice == _completion.Choices - 1;
            WriteUsage(writer, UsageOf(isLast, index));
            WriteObfuscation(writer, Obfuscation[..(Obfuscation.Length - (delta.Length % Obfuscation.Length))]);
            writer.WriteEndObject();
        }

        AddWritten();
    }

    private void AddWithoutChoice(Usage? usage, string obfuscation)
    {
        using (var writer = Begin())
        {
            var kind = _commands.Choices is ChoicesKind.Normal ? ChoicesKind.Empty : _commands.Choices;
            Envelope.WriteChoicesOtherThanNormal(writer, kind);
            WriteUsage(writer, usage);
            WriteObfuscation(writer, obfuscation);
            writer.WriteEndObject();
        }

        AddWritten();
    }

    private Utf8JsonWriter Begin()
    {
        _buffer.ResetWrittenCount();
        var writer = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = Envelope.Encoder });
        writer.WriteStartObject();
        Envelope.WriteHead(writer, _completion, "chat.completion.chunk");
        Envelope.WriteService(writer, _commands.ServiceTier);
        return writer;
    }

    private void AddWritten() => _events.Add(Shapes.Of(_buffer.WrittenSpan, _commands));

    /// <summary>An event like the others, with the error beside the choices (OpenRouter's reference, "Streaming").</summary>
    private void AddOpenRouterError()
    {
        using (var writer = Begin())
        {
            writer.WriteStartObject("error"u8);
            writer.WriteString("code"u8, _commands.ErrorCode ?? "server_error");
            writer.WriteString("message"u8, _commands.ErrorMessage ?? "Provider disconnected");
            writer.WriteEndObject();
            writer.WriteStartArray("choices"u8);
            writer.WriteStartObject();
            writer.WriteNumber("index"u8, 0);
            writer.WriteStartObject("delta"u8);
            writer.WriteString("content"u8, ""u8);
            writer.WriteEndObject();
            writer.WriteString("finish_reason"u8, "error"u8);
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        AddWritten();
    }

    private Usage? UsageOf(bool isLast, int index) =>
        _commands.UsageIn switch
        {
            UsagePlace.Final => null,
            UsagePlace.Finish => isLast ? _completion.UsageAfter(_completion.Tokens) : null,
            UsagePlace.Every => _completion.UsageAfter(Math.Min(index, _completion.Tokens)),
            _ => throw new InvalidOperationException($"no such place: {_commands.UsageIn}"),
        };

    private void WriteUsage(Utf8JsonWriter writer, Usage? usage)
    {
        if (usage is not null)
            usage.WriteTo(writer);
        else if (HasUsage)
            writer.WriteNull("usage"u8);
    }

    private void WriteObfuscation(Utf8JsonWriter writer, string obfuscation)
    {
        if (_completion.IncludeObfuscation)
            writer.WriteString("obfuscation"u8, obfuscation);
    }
}
