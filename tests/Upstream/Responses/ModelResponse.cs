using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.Responses;

/// <summary>
/// What is to be answered. Order and presence of the fields are those of responses recorded from OpenAI in January
/// 2026.
/// </summary>
internal sealed record ModelResponse(
    ResponseRequest Request,
    string Model,
    IReadOnlyList<OutputItem> Output,
    CommandSet Commands
)
{
    /// <summary>Why it is not complete, or null.</summary>
    private string? Incomplete =>
        Commands.FinishReason is null or "completed" or "failed" ? null : Commands.FinishReason;

    /// <summary>How it ends.</summary>
    public string EndStatus =>
        Commands.FinishReason is "failed" ? "failed"
        : Incomplete is not null ? "incomplete"
        : "completed";

    public static ModelResponse Of(
        ResponseRequest request,
        string model,
        CommandSet commands,
        ReadOnlySpan<byte> body
    ) => new(request, commands.Model ?? model, OutputItem.Of(request, commands, body), commands);

    /// <summary>The response as one JSON with this status.</summary>
    public Answer Json(string status) =>
        Answer.Json(
            Commands.Status ?? 200,
            Commands.ContentType ?? "application/json",
            JsonBody.Indented(writer => WriteTo(writer, status))
        );

    /// <summary>Writes the fields of a response with this status; output and usage only when it has ended.</summary>
    public void WriteTo(Utf8JsonWriter writer, string status)
    {
        var hasEnded = status is "completed" or "incomplete" or "failed";
        writer.WriteString("id"u8, Commands.Id ?? OutputItem.ResponseId);
        writer.WriteString("object"u8, "response"u8);
        writer.WriteNumber("created_at"u8, Placeholder.Time);
        writer.WriteString("status"u8, status);
        writer.WriteBoolean("background"u8, Request.IsBackground);
        if (status is "completed")
            writer.WriteNumber("completed_at"u8, Placeholder.Time);
        else
            writer.WriteNull("completed_at"u8);
        WriteError(writer, status);
        writer.WriteRaw("frequency_penalty"u8, "0.0");
        WriteIncomplete(writer, status);
        Echo(writer, "instructions", "null");
        Echo(writer, "max_output_tokens", "null");
        Echo(writer, "max_tool_calls", "null");
        writer.WriteString("model"u8, Model);
        writer.WriteStartArray("output"u8);
        if (hasEnded && status is not "failed")
        {
            foreach (var item in Output)
                item.WriteTo(writer, isDone: true, Commands);
        }

        writer.WriteEndArray();
        Echo(writer, "parallel_tool_calls", "true");
        writer.WriteRaw("presence_penalty"u8, "0.0");
        Echo(writer, "previous_response_id", "null");
        Echo(writer, "prompt_cache_key", "null");
        Echo(writer, "prompt_cache_retention", "null");
        Echo(writer, "reasoning", """{"effort":null,"summary":null}""");
        Echo(writer, "safety_identifier", "null");
        // Which tier served it is known at the end only.
        writer.WriteString("service_tier"u8, hasEnded ? Commands.ServiceTier ?? "default" : "auto");
        writer.WriteBoolean("store"u8, Request.IsStored);
        Echo(writer, "temperature", "1.0");
        Echo(writer, "text", """{"format":{"type":"text"},"verbosity":"medium"}""");
        Echo(writer, "tool_choice", "\"auto\"");
        Echo(writer, "tools", "[]");
        Echo(writer, "top_logprobs", "0");
        Echo(writer, "top_p", "1.0");
        Echo(writer, "truncation", "\"disabled\"");
        WriteUsage(writer, hasEnded && status is not "failed");
        Echo(writer, "user", "null");
        Echo(writer, "metadata", "{}");
    }

    private void WriteError(Utf8JsonWriter writer, string status)
    {
        if (status is not "failed")
        {
            writer.WriteNull("error"u8);
            return;
        }

        writer.WriteStartObject("error"u8);
        writer.WriteString("code"u8, Commands.ErrorCode ?? "server_error");
        writer.WriteString(
            "message"u8,
            Commands.ErrorMessage ?? "The server had an error while processing your request. Sorry about that!"
        );
        writer.WriteEndObject();
    }

    private void WriteIncomplete(Utf8JsonWriter writer, string status)
    {
        if (status is not "incomplete")
        {
            writer.WriteNull("incomplete_details"u8);
            return;
        }

        writer.WriteStartObject("incomplete_details"u8);
        writer.WriteString("reason"u8, Incomplete);
        writer.WriteEndObject();
    }

    private void WriteUsage(Utf8JsonWriter writer, bool hasUsage)
    {
        if (Commands.Usage is UsageKind.None)
            return;
        if (!hasUsage || Commands.Usage is UsageKind.Null)
        {
            writer.WriteNull("usage"u8);
            return;
        }

        if (Commands.Usage is UsageKind.Given)
        {
            writer.WriteRaw("usage"u8, Commands.UsageJson!);
            return;
        }

        var usage = OpenAi.Usage.Of(Commands, Output.Sum(static item => item.Tokens));
        // What was thought is a part of what was said.
        var reasoning =
            usage.Reasoning is 0 && Commands.Usage is UsageKind.Honest
                ? Output.OfType<ReasoningItem>().Sum(static item => item.Tokens)
                : usage.Reasoning;
        writer.WriteStartObject("usage"u8);
        writer.WriteNumber("input_tokens"u8, usage.Prompt);
        if (usage.HasDetails)
        {
            writer.WriteStartObject("input_tokens_details"u8);
            writer.WriteNumber("cached_tokens"u8, usage.Cached);
            writer.WriteEndObject();
        }

        writer.WriteNumber("output_tokens"u8, usage.Completion);
        if (usage.HasDetails)
        {
            writer.WriteStartObject("output_tokens_details"u8);
            writer.WriteNumber("reasoning_tokens"u8, reasoning);
            writer.WriteEndObject();
        }

        writer.WriteNumber("total_tokens"u8, usage.Total);
        writer.WriteEndObject();
    }

    private void Echo(Utf8JsonWriter writer, string name, string usual)
    {
        writer.WritePropertyName(name);
        // As an element it is indented like the rest.
        (Request.Value(name) ?? JsonElement.Parse(usual)).WriteTo(writer);
    }
}
