using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.Providers.Simulator;

/// <summary>What the simulator reads of a chat-completions request.</summary>
internal sealed class SimulatorRequest
{
    private const int MaxChoices = 128;
    private const int MaxStops = 4;

    private SimulatorRequest(WireRequest chat, SimulatorOptions options)
    {
        Chat = chat;
        Options = options;
    }

    /// <summary>What every request has.</summary>
    public WireRequest Chat { get; }

    /// <summary>What the model's name asks for.</summary>
    public SimulatorOptions Options { get; }

    /// <summary>The text of the last message of a user, in UTF-8; empty without one.</summary>
    public byte[] LastUserText { get; private set; } = [];

    /// <summary>The text of the last message when it is a tool's result; otherwise null.</summary>
    public byte[]? ToolResult { get; private set; }

    /// <summary>The tokens of the prompt: the words in the texts of all messages.</summary>
    public int PromptTokens { get; private set; }

    /// <summary>The most tokens that the answer may have; null for any number.</summary>
    public int? MaxTokens { get; private set; }

    /// <summary>The number of choices.</summary>
    public int Choices { get; private set; } = 1;

    /// <summary>The texts that end the answer.</summary>
    public List<byte[]> Stops { get; } = [];

    /// <summary>The value of <c>tools</c>, if there is one.</summary>
    public JsonSlice? Tools { get; private set; }

    /// <summary>The function that <c>tool_choice</c> names; empty when it is <c>required</c>; null when text may be answered.</summary>
    public string? RequiredTool { get; private set; }

    /// <summary>Reads a request. Never throws.</summary>
    public static bool TryRead(
        ReadOnlyMemory<byte> body,
        [NotNullWhen(true)] out SimulatorRequest? request,
        [NotNullWhen(false)] out WireError? error
    )
    {
        request = null;
        if (!WireRequest.TryRead(body, out var chat, out error))
            return false;
        if (!SimulatorOptions.TryParse(chat.Model, out var options, out var why))
        {
            error = new WireError(400, why, "model", "invalid_value");
            return false;
        }
        if (!chat.Stream && options.WhyNotWithoutStream() is { } notWithoutStream)
        {
            error = new WireError(400, notWithoutStream, "model", "invalid_value");
            return false;
        }

        var reading = new SimulatorRequest(chat, options);
        try
        {
            error = reading.Read(body.Span);
        }
        catch (InvalidOperationException)
        {
            error = HalfSurrogate(null);
        }
        if (error is not null)
            return false;
        request = reading;
        return true;
    }

    /// <summary>JSON by its grammar, but no text: <c>"\ud83d"</c> alone.</summary>
    internal static WireError HalfSurrogate(string? param) =>
        new(400, "A string has an escape that is half of a surrogate pair.", param, "invalid_value");

    private WireError? Read(ReadOnlySpan<byte> body)
    {
        var hasMessages = false;
        var reader = new Utf8JsonReader(body);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var error = default(WireError);
            if (JsonNames.Is(ref reader, "messages"u8))
            {
                reader.Read();
                hasMessages |= ReadMessages(ref reader);
            }
            else if (JsonNames.Is(ref reader, "n"u8))
            {
                error = ReadNumber(ref reader, "n", MaxChoices, out var choices);
                Choices = choices ?? 1;
            }
            else if (JsonNames.Is(ref reader, "max_tokens"u8))
            {
                error = ReadNumber(ref reader, "max_tokens", int.MaxValue, out var most);
                MaxTokens ??= most;
            }
            else if (JsonNames.Is(ref reader, "max_completion_tokens"u8))
            {
                error = ReadNumber(ref reader, "max_completion_tokens", int.MaxValue, out var most);
                MaxTokens = most ?? MaxTokens;
            }
            else if (JsonNames.Is(ref reader, "stop"u8))
            {
                error = ReadStops(ref reader);
            }
            else if (JsonNames.Is(ref reader, "tools"u8))
            {
                reader.Read();
                Tools = reader.TokenType == JsonTokenType.StartArray ? JsonSlice.OfValue(ref reader) : null;
                reader.Skip();
            }
            else if (JsonNames.Is(ref reader, "tool_choice"u8))
            {
                error = ReadToolChoice(ref reader);
            }
            else
            {
                reader.Skip();
            }
            if (error is not null)
                return error;
        }
        if (!hasMessages)
            return new WireError(
                400,
                "Missing required parameter: 'messages'.",
                "messages",
                "missing_required_parameter"
            );
        if (RequiredTool is not null && Tools is null)
            return new WireError(
                400,
                "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
                "tool_choice",
                null
            );
        return null;
    }

    /// <summary>False when there is no message.</summary>
    private bool ReadMessages(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return false;
        }
        var any = false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            any = true;
            if (reader.TokenType == JsonTokenType.StartObject)
                ReadMessage(ref reader);
            else
                reader.Skip();
        }
        return any;
    }

    private void ReadMessage(ref Utf8JsonReader reader)
    {
        var isUser = false;
        var isTool = false;
        var text = default(PooledBytes);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonNames.Is(ref reader, "role"u8))
            {
                reader.Read();
                isUser = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("user"u8);
                isTool = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("tool"u8);
                reader.Skip();
            }
            else if (JsonNames.Is(ref reader, "content"u8))
            {
                reader.Read();
                ReadContent(ref reader, ref text);
            }
            else
            {
                reader.Skip();
            }
        }
        PromptTokens += Words.Count(text.Span);
        if (isUser)
            LastUserText = text.Span.ToArray();
        ToolResult = isTool ? text.Span.ToArray() : null;
        text.Dispose();
    }

    private static void ReadContent(ref Utf8JsonReader reader, ref PooledBytes text)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                AddText(ref reader, ref text);
                break;
            case JsonTokenType.StartArray:
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    if (reader.TokenType == JsonTokenType.StartObject)
                        ReadPart(ref reader, ref text);
                    else
                        reader.Skip();
                }
                break;
            default:
                reader.Skip();
                break;
        }
    }

    private static void ReadPart(ref Utf8JsonReader reader, ref PooledBytes text)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isText = JsonNames.Is(ref reader, "text"u8);
            reader.Read();
            if (isText && reader.TokenType == JsonTokenType.String)
            {
                if (text.Length > 0)
                    text.Append("\n"u8);
                AddText(ref reader, ref text);
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private static void AddText(ref Utf8JsonReader reader, ref PooledBytes text)
    {
        if (!reader.ValueIsEscaped)
        {
            text.Append(reader.ValueSpan);
            return;
        }
        var unescaped = ArrayPool<byte>.Shared.Rent(reader.ValueSpan.Length);
        try
        {
            text.Append(unescaped.AsSpan(0, reader.CopyString(unescaped)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(unescaped);
        }
    }

    private static WireError? ReadNumber(ref Utf8JsonReader reader, string name, int most, out int? number)
    {
        number = null;
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
            return null;
        if (
            reader.TokenType == JsonTokenType.Number
            && reader.TryGetInt32(out var value)
            && value >= 1
            && value <= most
        )
        {
            number = value;
            return null;
        }
        return new WireError(
            400,
            string.Create(
                CultureInfo.InvariantCulture,
                $"Invalid value for '{name}': expected an integer from 1 to {most}."
            ),
            name,
            "invalid_value"
        );
    }

    private WireError? ReadStops(ref Utf8JsonReader reader)
    {
        reader.Read();
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.String:
                AddStop(ref reader);
                return null;
            case JsonTokenType.StartArray:
                while (reader.Read() && reader.TokenType == JsonTokenType.String)
                    AddStop(ref reader);
                if (reader.TokenType == JsonTokenType.EndArray && Stops.Count <= MaxStops)
                    return null;
                break;
        }
        return new WireError(400, "Invalid 'stop': expected a string or up to 4 of them.", "stop", "invalid_value");
    }

    private void AddStop(ref Utf8JsonReader reader)
    {
        if (Stops.Count <= MaxStops && reader.GetString() is { Length: > 0 } stop)
            Stops.Add(Encoding.UTF8.GetBytes(stop));
    }

    private WireError? ReadToolChoice(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
        {
            if (reader.ValueTextEquals("required"u8))
                RequiredTool = "";
            return null;
        }
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isFunction = JsonNames.Is(ref reader, "function"u8);
            reader.Read();
            if (isFunction && reader.TokenType == JsonTokenType.StartObject)
                ReadFunctionName(ref reader);
            else
                reader.Skip();
        }
        return RequiredTool is null || SimulatorOptions.IsFunctionName(RequiredTool)
            ? null
            : new WireError(400, "Invalid 'tool_choice.function.name'.", "tool_choice", "invalid_value");
    }

    private void ReadFunctionName(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isName = JsonNames.Is(ref reader, "name"u8);
            reader.Read();
            if (isName && reader.TokenType == JsonTokenType.String)
                RequiredTool = reader.GetString();
            else
                reader.Skip();
        }
    }
}
