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
        buffer.Write("\n"u8);
        return Answer.Json(commands.Status ?? 200, commands.ContentType ?? ContentType, buffer.WrittenSpan.ToArray());
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
        Envelope.WriteService(writer);
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
            WriteToolCalls(writer, completion.ToolCalls);
            writer.WriteNull("refusal"u8);
            writer.WriteStartArray("annotations"u8);
            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteNull("logprobs"u8);
            writer.WriteString("finish_reason"u8, completion.FinishReason);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
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
