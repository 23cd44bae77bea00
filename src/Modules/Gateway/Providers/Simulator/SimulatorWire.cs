using System.Buffers;
using System.Buffers.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Verbatim.Modules.Gateway.Providers.Simulator;

/// <summary>Writes the simulator's answers as OpenAI writes its own.</summary>
/// <param name="request">The request.</param>
/// <param name="answer">What is answered.</param>
/// <param name="id">The completion's id.</param>
/// <param name="created">When it began, in seconds since 1970.</param>
internal sealed class SimulatorWire(SimulatorRequest request, SimulatorAnswer answer, string id, long created)
{
    private readonly SimulatorRequest _request = request;
    private readonly SimulatorAnswer _answer = answer;
    private readonly string _id = id;
    private readonly byte[] _chunkHead = Head("data: {\"id\":"u8, "chat.completion.chunk", request, id, created);
    private readonly long _created = created;
    private readonly bool _sendsUsage = request.Chat.IncludesUsage && !request.Options.NoUsage;

    /// <summary>The request's choices.</summary>
    public int Choices => _request.Choices;

    /// <summary>A stream ends with its usage.</summary>
    public bool SendsUsage => _sendsUsage;

    /// <summary>Writes the whole answer as one object.</summary>
    public void WriteCompletion(IBufferWriter<byte> writer)
    {
        writer.Write(Head("{\"id\":"u8, "chat.completion", _request, _id, _created));
        for (var choice = 0; choice < Choices; choice++)
        {
            writer.Write(choice == 0 ? "{\"index\":"u8 : ",{\"index\":"u8);
            WriteNumber(writer, choice);
            writer.Write(",\"message\":{\"role\":\"assistant\",\"content\":"u8);
            if (_answer.ToolCalls.Length > 0)
            {
                writer.Write("null,\"tool_calls\":["u8);
                for (var call = 0; call < _answer.ToolCalls.Length; call++)
                    WriteToolCall(writer, choice, call);
                writer.Write("]"u8);
            }
            else
            {
                WriteString(writer, _answer.Texts[choice]);
            }
            writer.Write(",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\""u8);
            WriteAscii(writer, _answer.FinishReason);
            writer.Write("\"}"u8);
        }
        writer.Write("]"u8);
        if (!_request.Options.NoUsage)
        {
            writer.Write(",\"usage\":"u8);
            WriteUsage(writer);
        }
        writer.Write("}"u8);
    }

    /// <summary>Writes the first chunk of a choice, which says who speaks.</summary>
    public void WriteRole(IBufferWriter<byte> writer, int choice)
    {
        BeginChunk(writer, choice);
        writer.Write("{\"role\":\"assistant\",\"content\":"u8);
        writer.Write(_answer.ToolCalls.Length > 0 ? "null"u8 : "\"\""u8);
        writer.Write(",\"refusal\":null}"u8);
        EndChunk(writer, default);
    }

    /// <summary>Writes a chunk with a piece of the text.</summary>
    public void WriteText(IBufferWriter<byte> writer, int choice, ReadOnlySpan<byte> piece)
    {
        BeginChunk(writer, choice);
        writer.Write("{\"content\":"u8);
        WriteString(writer, piece);
        writer.Write("}"u8);
        EndChunk(writer, default);
    }

    /// <summary>Writes the chunk that begins a tool call: id and name come only here.</summary>
    public void WriteToolCallStart(IBufferWriter<byte> writer, int choice, int call)
    {
        BeginChunk(writer, choice);
        writer.Write("{\"tool_calls\":[{\"index\":"u8);
        WriteNumber(writer, call);
        writer.Write(",\"id\":"u8);
        WriteToolCallId(writer, choice, call);
        writer.Write(",\"type\":\"function\",\"function\":{\"name\":\""u8);
        WriteAscii(writer, _answer.ToolCalls[call].Name);
        writer.Write("\",\"arguments\":\"\"}}]}"u8);
        EndChunk(writer, default);
    }

    /// <summary>Writes a chunk with a piece of a tool call's arguments.</summary>
    public void WriteArguments(IBufferWriter<byte> writer, int choice, int call, ReadOnlySpan<byte> piece)
    {
        BeginChunk(writer, choice);
        writer.Write("{\"tool_calls\":[{\"index\":"u8);
        WriteNumber(writer, call);
        writer.Write(",\"function\":{\"arguments\":"u8);
        WriteString(writer, piece);
        writer.Write("}}]}"u8);
        EndChunk(writer, default);
    }

    /// <summary>Writes the last chunk of a choice.</summary>
    public void WriteFinish(IBufferWriter<byte> writer, int choice)
    {
        BeginChunk(writer, choice);
        writer.Write("{}"u8);
        EndChunk(writer, _answer.FinishReason);
    }

    /// <summary>Writes the chunk with the usage of all choices.</summary>
    public void WriteUsageChunk(IBufferWriter<byte> writer)
    {
        writer.Write(_chunkHead);
        writer.Write("],\"usage\":"u8);
        WriteUsage(writer);
        writer.Write("}\n\n"u8);
    }

    private static byte[] Head(ReadOnlySpan<byte> start, string kind, SimulatorRequest request, string id, long created)
    {
        var writer = new ArrayBufferWriter<byte>(256);
        writer.Write(start);
        WriteString(writer, id);
        writer.Write(",\"object\":\""u8);
        WriteAscii(writer, kind);
        writer.Write("\",\"created\":"u8);
        WriteNumber(writer, created);
        writer.Write(",\"model\":"u8);
        WriteString(writer, request.Chat.Model);
        writer.Write(",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_simulator\",\"choices\":["u8);
        return writer.WrittenSpan.ToArray();
    }

    private void BeginChunk(IBufferWriter<byte> writer, int choice)
    {
        writer.Write(_chunkHead);
        writer.Write("{\"index\":"u8);
        WriteNumber(writer, choice);
        writer.Write(",\"delta\":"u8);
    }

    private void EndChunk(IBufferWriter<byte> writer, string? finishReason)
    {
        writer.Write(",\"logprobs\":null,\"finish_reason\":"u8);
        if (finishReason is null)
        {
            writer.Write("null"u8);
        }
        else
        {
            writer.Write("\""u8);
            WriteAscii(writer, finishReason);
            writer.Write("\""u8);
        }
        // With include_usage, every chunk has the field: OpenAI's reference, chat completions, stream_options.
        writer.Write(_sendsUsage ? "}],\"usage\":null}\n\n"u8 : "}]}\n\n"u8);
    }

    private void WriteToolCall(IBufferWriter<byte> writer, int choice, int call)
    {
        writer.Write(call == 0 ? "{\"id\":"u8 : ",{\"id\":"u8);
        WriteToolCallId(writer, choice, call);
        writer.Write(",\"type\":\"function\",\"function\":{\"name\":\""u8);
        WriteAscii(writer, _answer.ToolCalls[call].Name);
        writer.Write("\",\"arguments\":"u8);
        WriteString(writer, _answer.ToolCalls[call].Arguments);
        writer.Write("}}"u8);
    }

    private void WriteToolCallId(IBufferWriter<byte> writer, int choice, int call)
    {
        writer.Write("\"call_"u8);
        WriteAscii(writer, _id.AsSpan(_id.LastIndexOf('-') + 1));
        WriteNumber(writer, choice);
        writer.Write("_"u8);
        WriteNumber(writer, call);
        writer.Write("\""u8);
    }

    private void WriteUsage(IBufferWriter<byte> writer)
    {
        writer.Write("{\"prompt_tokens\":"u8);
        WriteNumber(writer, _answer.PromptTokens);
        writer.Write(",\"completion_tokens\":"u8);
        WriteNumber(writer, _answer.CompletionTokens);
        writer.Write(",\"total_tokens\":"u8);
        WriteNumber(writer, _answer.PromptTokens + _answer.CompletionTokens);
        writer.Write(
            ",\"prompt_tokens_details\":{\"cached_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0}}"u8
        );
    }

    private static void WriteNumber(IBufferWriter<byte> writer, long number)
    {
        _ = Utf8Formatter.TryFormat(number, writer.GetSpan(20), out var written);
        writer.Advance(written);
    }

    private static void WriteAscii(IBufferWriter<byte> writer, ReadOnlySpan<char> text)
    {
        System.Text.Ascii.FromUtf16(text, writer.GetSpan(text.Length), out var written);
        writer.Advance(written);
    }

    private static void WriteString(IBufferWriter<byte> writer, ReadOnlySpan<byte> text)
    {
        writer.Write("\""u8);
        if (Escaping.FindFirstCharacterToEncodeUtf8(text) < 0)
            writer.Write(text);
        else
            writer.Write(JsonEncodedText.Encode(text, Escaping).EncodedUtf8Bytes);
        writer.Write("\""u8);
    }

    private static void WriteString(IBufferWriter<byte> writer, string text)
    {
        writer.Write("\""u8);
        writer.Write(JsonEncodedText.Encode(text, Escaping).EncodedUtf8Bytes);
        writer.Write("\""u8);
    }

    private static readonly JavaScriptEncoder Escaping = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
}
