using System.Buffers;
using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>
/// The whole answer as one JSON: indented by two, a line feed at the end, fields in the order of recorded answers
/// ("The chat completion object" of OpenAI's API reference has the same).
/// </summary>
internal static class CompletionJson
{
    private const string ContentType = "application/json";

    /// <summary>What a broken answer looks like: it stops in the middle.</summary>
    private static readonly byte[] Garbage =
        """{"id":"chatcmpl-broken","object":"chat.completion","choices":[{"mess"""u8.ToArray();

    public static Answer Of(Completion completion)
    {
        var commands = completion.Commands;
        if (commands.GarbageAfter is not null)
            return Answer.Of(200, commands.ContentType ?? ContentType, Garbage);
        if (commands.ErrorAfter is not null)
            return Answer.Of(200, commands.ContentType ?? ContentType, OpenAiErrors.InStream(commands));

        var buffer = new ArrayBufferWriter<byte>();
        var options = new JsonWriterOptions
        {
            Encoder = Envelope.Encoder,
            Indented = true,
            NewLine = "\n",
        };
        using (var writer = new Utf8JsonWriter(buffer, options))
            Write(writer, completion);
        if (commands.As is Provider.OpenAi)
            buffer.Write("\n"u8);
        var body = Shapes.Of(buffer.WrittenSpan, commands);
        return Answer.Json(commands.Status ?? 200, commands.ContentType ?? ContentType, body);
    }

    private static void Write(Utf8JsonWriter writer, Completion completion)
    {
        writer.WriteStartObject();
        Envelope.WriteHead(writer, completion, "chat.completion");
        if (!Envelope.WriteChoicesOtherThanNormal(writer, completion.Commands.Choices))
            WriteChoices(writer, completion);
        if (completion.Commands.Usage is UsageKind.Null)
            writer.WriteNull("usage"u8);
        else if (completion.Commands.Usage is not UsageKind.None)
            completion.UsageAfter(completion.Tokens).WriteTo(writer);
        Envelope.WriteService(writer, completion.Commands.ServiceTier);
        writer.WriteEndObject();
    }

    private static void WriteChoices(Utf8JsonWriter writer, Completion completion)
    {
        writer.WriteStartArray("choices"u8);
        for (var index = 0; index < completion.Choices; index++)
        {
            writer.WriteStartObject();
            writer.WriteNumber("index"u8, index);
            writer.WriteStartObject("message"u8);
            writer.WriteString("role"u8, "assistant"u8);
            writer.WriteString("content"u8, completion.Content);
            WriteReasoning(writer, completion.Commands.Reasoning, completion.ReasoningAs, isSigned: true);
            WriteToolCalls(writer, completion.ToolCalls);
            writer.WriteString("refusal"u8, completion.Commands.Refusal);
            WriteAudio(writer, completion);
            writer.WriteStartArray("annotations"u8);
            writer.WriteEndArray();
            writer.WriteEndObject();
            WriteLogprobs(writer, completion, completion.Text, completion.Refusal);
            writer.WriteString("finish_reason"u8, completion.FinishReason);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    public const string AudioId = "audio_fake";

    /// <summary>Bytes in the place of a sound.</summary>
    public static byte[] Sound(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    /// <summary>What signs thoughts, as OpenRouter passes it on from Claude.</summary>
    public const string Signature = "EqoBCkgIARABGAIiQL+fake/signature==";

    /// <summary>What was thought, in the fields in which this provider says it; nothing when it is null.</summary>
    /// <param name="writer">In a message, or a delta of one.</param>
    /// <param name="reasoning">The thought, or the next words of it; empty for what only signs it.</param>
    /// <param name="field">Where this provider says it.</param>
    /// <param name="isSigned">Its end has come.</param>
    public static void WriteReasoning(Utf8JsonWriter writer, string? reasoning, ReasoningField field, bool isSigned)
    {
        if (reasoning is null)
            return;
        if (reasoning.Length > 0)
            writer.WriteString(
                field is ReasoningField.ReasoningContent ? "reasoning_content"u8 : "reasoning"u8,
                reasoning
            );
        if (field is not ReasoningField.Details)
            return;
        writer.WriteStartArray("reasoning_details"u8);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "reasoning.text"u8);
        if (reasoning.Length > 0)
            writer.WriteString("text"u8, reasoning);
        if (isSigned)
            writer.WriteString("signature"u8, Signature);
        writer.WriteString("format"u8, "anthropic-claude-v1"u8);
        writer.WriteNumber("index"u8, 0);
        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    /// <summary>How likely these pieces were, or null where that was not asked for.</summary>
    public static void WriteLogprobs(
        Utf8JsonWriter writer,
        Completion completion,
        IReadOnlyList<string> text,
        IReadOnlyList<string> refusal
    )
    {
        if (!completion.IncludeLogprobs || text.Count + refusal.Count is 0)
        {
            writer.WriteNull("logprobs"u8);
            return;
        }

        writer.WriteStartObject("logprobs"u8);
        WritePieces("content", text);
        WritePieces("refusal", refusal);
        writer.WriteEndObject();

        void WritePieces(string name, IReadOnlyList<string> pieces)
        {
            if (pieces.Count is 0)
            {
                writer.WriteNull(name);
                return;
            }

            writer.WriteStartArray(name);
            foreach (var piece in pieces)
                Logprob.Write(writer, piece);
            writer.WriteEndArray();
        }
    }

    private static void WriteAudio(Utf8JsonWriter writer, Completion completion)
    {
        if (!completion.Commands.Audio)
            return;
        var text = string.Concat(completion.Text);
        writer.WriteStartObject("audio"u8);
        writer.WriteString("id"u8, AudioId);
        writer.WriteBase64String("data"u8, Sound(text));
        writer.WriteNumber("expires_at"u8, Placeholder.Time);
        writer.WriteString("transcript"u8, text);
        writer.WriteEndObject();
    }

    private static void WriteToolCalls(Utf8JsonWriter writer, IReadOnlyList<CompletionToolCall> calls)
    {
        if (calls.Count is 0)
            return;
        writer.WriteStartArray("tool_calls"u8);
        foreach (var call in calls)
        {
            writer.WriteStartObject();
            writer.WriteString("id"u8, call.Id);
            writer.WriteString("type"u8, "function"u8);
            writer.WriteStartObject("function"u8);
            writer.WriteString("name"u8, call.Name);
            writer.WriteString("arguments"u8, call.Arguments);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
