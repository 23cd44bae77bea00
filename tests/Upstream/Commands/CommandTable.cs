using System.Collections.Frozen;
using System.Text;
using System.Text.Json;

namespace Verbatim.Tests.Upstream.Commands;

/// <summary>The commands by their names, and how the value of each is read.</summary>
internal static class CommandTable
{
    private const string DefaultReasoning = "The user says hi. I should greet them back.";
    private const int MaxDelayMs = 600_000;
    private const int MaxBytes = 64 * 1024 * 1024;

    /// <summary>The commands of what a model says and of the shape in which it says it; the others are for every answer.</summary>
    public static readonly string[] OfModels =
    [
        "id",
        "model",
        "text",
        "chunk_text",
        "bytes",
        "echo",
        "chunks",
        "tool_calls",
        "arguments_chunk",
        "interleave",
        "reasoning",
        "reasoning_as",
        "signature",
        "redacted",
        "citations",
        "refusal",
        "logprobs",
        "audio",
        "stop_sequence",
        "service_tier",
        "unknown_block",
        "whole_calls",
        "no_ids",
        "filtered",
        "as",
        "finish_reason",
        "usage",
        "usage_in",
        "choices",
        "done",
        "polls",
        "ping_every",
        "unknown_after",
        "strict",
    ];

    public static readonly FrozenDictionary<string, Func<CommandSet, CommandValue, CommandSet>> Known = new Dictionary<
        string,
        Func<CommandSet, CommandValue, CommandSet>
    >(StringComparer.Ordinal)
    {
        ["status"] = static (set, value) => set with { Status = value.Integer(200, 599) },
        ["error_message"] = static (set, value) => set with { ErrorMessage = value.Text() },
        ["error_type"] = static (set, value) => set with { ErrorType = value.Text() },
        ["error_code"] = static (set, value) => set with { ErrorCode = value.Text() },
        ["retry_after"] = static (set, value) => set with { RetryAfter = value.TextOrNumber() },
        ["headers"] = static (set, value) => set with { Headers = [.. set.Headers, .. ReadHeaders(value)] },
        ["provider_headers"] = static (set, value) => set with { ProviderHeaders = value.Flag() },
        ["hop_headers"] = static (set, value) => set with { HopHeaders = value.Flag() },
        ["body"] = static (set, value) => set with { Body = Encoding.UTF8.GetBytes(value.Text()) },
        ["body_base64"] = static (set, value) => set with { Body = ReadBase64(value) },
        ["content_type"] = static (set, value) => set with { ContentType = value.Text() },
        ["chunked"] = static (set, value) => set with { Chunked = value.Flag() },

        ["id"] = static (set, value) => set with { Id = value.Text() },
        ["model"] = static (set, value) => set with { Model = value.Text() },
        ["text"] = static (set, value) => set with { Text = value.Text() },
        ["chunk_text"] = static (set, value) => set with { ChunkText = value.Text() },
        ["bytes"] = static (set, value) => set with { Bytes = value.Integer(1, MaxBytes) },
        ["echo"] = static (set, value) => set with { Echo = value.Flag() },
        ["chunks"] = static (set, value) => set with { Chunks = value.Integer(1, 100_000) },
        ["tool_calls"] = ReadToolCalls,
        ["arguments_chunk"] = static (set, value) => set with { ArgumentsChunk = value.Integer(1, MaxBytes) },
        ["interleave"] = static (set, value) => set with { Interleave = value.Flag() },
        ["reasoning"] = static (set, value) =>
            set with
            {
                Reasoning = value.IsFlag ? (value.Flag() ? DefaultReasoning : null) : value.Text(),
            },
        ["reasoning_as"] = static (set, value) =>
            set with
            {
                ReasoningAs = value.OneOf(
                    ("reasoning_content", ReasoningField.ReasoningContent),
                    ("reasoning", ReasoningField.Reasoning),
                    ("details", ReasoningField.Details)
                ),
            },
        ["signature"] = static (set, value) => set with { Signature = value.Text() },
        ["redacted"] = static (set, value) => set with { Redacted = value.Flag() },
        ["citations"] = static (set, value) => set with { Citations = value.Flag() },
        ["refusal"] = static (set, value) => set with { Refusal = value.Text() },
        ["logprobs"] = static (set, value) => set with { Logprobs = value.Flag() },
        ["audio"] = static (set, value) => set with { Audio = value.Flag() },
        ["stop_sequence"] = static (set, value) => set with { StopSequence = value.Text() },
        ["service_tier"] = static (set, value) => set with { ServiceTier = value.Text() },
        ["unknown_block"] = static (set, value) => set with { UnknownBlock = value.Flag() },
        ["whole_calls"] = static (set, value) => set with { WholeCalls = value.Flag() },
        ["no_ids"] = static (set, value) => set with { NoIds = value.Flag() },
        ["filtered"] = static (set, value) => set with { Filtered = value.Flag() },
        ["as"] = static (set, value) =>
            set with
            {
                As = value.OneOf(
                    ("openai", Provider.OpenAi),
                    ("azure", Provider.Azure),
                    ("openrouter", Provider.OpenRouter),
                    ("vllm", Provider.VLlm),
                    ("ollama", Provider.Ollama)
                ),
            },
        ["finish_reason"] = static (set, value) => set with { FinishReason = value.Text() },
        ["usage"] = ReadUsage,
        ["usage_in"] = static (set, value) =>
            set with
            {
                UsageIn = value.OneOf(
                    ("final", UsagePlace.Final),
                    ("start", UsagePlace.Start),
                    ("finish", UsagePlace.Finish),
                    ("every", UsagePlace.Every)
                ),
            },
        ["choices"] = static (set, value) =>
            set with
            {
                Choices = value.OneOf(
                    ("null", ChoicesKind.Null),
                    ("missing", ChoicesKind.Missing),
                    ("empty", ChoicesKind.Empty)
                ),
            },

        ["done"] = static (set, value) => set with { Done = value.Flag() },
        ["error_after"] = static (set, value) => set with { ErrorAfter = value.Integer(0, 100_000) },
        ["garbage_after"] = static (set, value) => set with { GarbageAfter = value.Integer(0, 100_000) },
        ["polls"] = static (set, value) => set with { Polls = value.Integer(0, 1000) },
        ["ping_every"] = static (set, value) => set with { PingEvery = value.Integer(1, 100_000) },
        ["unknown_after"] = static (set, value) => set with { UnknownAfter = value.Integer(0, 100_000) },
        ["comment"] = static (set, value) => set with { Comment = ReadComment(value) },
        ["line_ending"] = static (set, value) =>
            set with
            {
                LineEnding = value.OneOf(("lf", LineEnding.Lf), ("crlf", LineEnding.CrLf), ("cr", LineEnding.Cr)),
            },
        ["bom"] = static (set, value) => set with { Bom = value.Flag() },
        ["space"] = static (set, value) => set with { Space = value.Flag() },
        ["multiline"] = static (set, value) => set with { Multiline = value.Flag() },

        ["delay_ms"] = static (set, value) => set with { DelayMs = value.Integer(0, MaxDelayMs) },
        ["chunk_delay_ms"] = static (set, value) => set with { ChunkDelayMs = value.Integer(0, MaxDelayMs) },
        ["header_delay_ms"] = static (set, value) => set with { HeaderDelayMs = value.Integer(0, MaxDelayMs) },
        ["burst"] = static (set, value) => set with { Burst = value.Flag() },
        ["split_every"] = static (set, value) => set with { SplitEvery = value.Integer(1, MaxBytes) },
        ["split_at"] = static (set, value) =>
            set with
            {
                SplitAt = [.. value.List(static item => item.Integer(1, int.MaxValue)).Order()],
            },
        ["split_delay_ms"] = static (set, value) => set with { SplitDelayMs = value.Integer(0, MaxDelayMs) },
        ["cut_after"] = static (set, value) => set with { CutAfter = value.Position() },
        ["close_after"] = static (set, value) => set with { CloseAfter = value.Position() },
        ["stall_after"] = static (set, value) => set with { StallAfter = value.Position() },
        ["end_after"] = static (set, value) => set with { EndAfter = value.Position() },
        ["hold_after"] = static (set, value) => set with { HoldAfter = value.List(static item => item.Position()) },

        ["strict"] = static (set, value) => set with { Strict = value.Flag() },
        ["marker"] = static (set, value) => set with { Marker = value.Text() },
        ["times"] = static (set, value) => set with { Times = value.Integer(1, 1_000_000) },
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static IEnumerable<(string Name, JsonElement Value)> Properties(JsonElement json, string command)
    {
        if (json.ValueKind is not JsonValueKind.Object)
            throw new CommandValue(command, json).Wrong("an object with commands");
        return json.EnumerateObject().Select(static property => (property.Name, property.Value));
    }

    private static IEnumerable<KeyValuePair<string, string>> ReadHeaders(CommandValue value)
    {
        if (!value.IsObject)
            throw value.Wrong("an object of header names and values");
        foreach (var header in value.Json.EnumerateObject())
        {
            foreach (var item in new CommandValue("headers", header.Value).List(static item => item.TextOrNumber()))
                yield return ReadHeader(header.Name, item);
        }
    }

    public static KeyValuePair<string, string> ReadHeader(string name, string value)
    {
        if (name.Length is 0 || name.Any(static c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
            throw new WrongCommandException("headers", $"'{name}' is no name of a header.");
        if (value.Any(static c => c is < ' ' or '\x7F' or > '\xFF'))
            throw new WrongCommandException("headers", $"The value of the header '{name}' is not one of Latin-1.");
        if (name.ToLowerInvariant() is "content-length" or "transfer-encoding" or "content-type")
        {
            throw new WrongCommandException(
                "headers",
                $"The header '{name}' follows from the body; see the commands 'chunked', 'content_type' and 'close_after'."
            );
        }

        // A pooled connection that closes unannounced would fail the next test instead of this one.
        if (string.Equals(name, "connection", StringComparison.OrdinalIgnoreCase))
            throw new WrongCommandException("headers", "The header 'connection' comes with 'hop_headers' only.");

        return new KeyValuePair<string, string>(name, value);
    }

    private static byte[] ReadBase64(CommandValue value)
    {
        var text = value.Text();
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length)
            ? bytes[..length]
            : throw value.Wrong("a text in base64");
    }

    private static string ReadComment(CommandValue value)
    {
        var text = value.Text();
        return text.AsSpan().IndexOfAny('\r', '\n') < 0 ? text : throw value.Wrong("one line of text");
    }

    private static CommandSet ReadToolCalls(CommandSet set, CommandValue value)
    {
        if (!value.IsArray)
            return set with { ToolCallCount = value.Integer(1, 128), ToolCalls = null };
        var calls = value.List(static item =>
        {
            var call = new ToolCall(null, null, null);
            if (!item.IsObject)
                throw item.Wrong("a number, or an array of objects with name, arguments and id");
            foreach (var (name, part) in Properties(item.Json, "tool_calls"))
            {
                call = name switch
                {
                    "id" => call with { Id = new CommandValue("tool_calls.id", part).Text() },
                    "name" => call with { Name = new CommandValue("tool_calls.name", part).Text() },
                    // Given as text they need not be JSON, as a model's need not.
                    "arguments" => call with
                    {
                        Arguments =
                            part.ValueKind is JsonValueKind.Object
                                ? part.GetRawText()
                                : new CommandValue("tool_calls.arguments", part).Text(),
                    },
                    _ => throw item.Wrong("objects with name, arguments and id"),
                };
            }

            return call;
        });
        return set with { ToolCalls = calls, ToolCallCount = null };
    }

    private static CommandSet ReadUsage(CommandSet set, CommandValue value) =>
        value.IsObject
            ? set with
            {
                Usage = UsageKind.Given,
                UsageJson = value.Json.GetRawText(),
            }
            : set with
            {
                Usage = value.OneOf(
                    ("none", UsageKind.None),
                    ("null", UsageKind.Null),
                    ("zero", UsageKind.Zero),
                    ("wrong", UsageKind.Wrong),
                    ("details", UsageKind.Details),
                    ("minimal", UsageKind.Minimal)
                ),
            };
}
