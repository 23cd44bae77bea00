using System.Buffers;
using System.Globalization;
using System.Text;

namespace Verbatim.Modules.Gateway.Providers.Simulator;

/// <summary>What the simulator answers: a function of the request alone.</summary>
internal sealed class SimulatorAnswer
{
    // What it repeats of a message; the rest of a book would only be in the way.
    private const int MaxEcho = 500;

    private SimulatorAnswer(byte[][] texts, bool isCut, SimulatorToolCall[] toolCalls, int promptTokens)
    {
        Texts = texts;
        ToolCalls = toolCalls;
        PromptTokens = promptTokens;
        FinishReason =
            toolCalls.Length > 0 ? "tool_calls"
            : isCut ? "length"
            : "stop";
        var perChoice = 0;
        foreach (var call in toolCalls)
            perChoice += 1 + Words.Count(call.Arguments);
        CompletionTokens = perChoice * texts.Length;
        foreach (var text in texts)
            CompletionTokens += Words.Count(text);
    }

    /// <summary>The text of each choice in UTF-8; empty when it calls tools.</summary>
    public byte[][] Texts { get; }

    /// <summary>The tools that each choice calls.</summary>
    public SimulatorToolCall[] ToolCalls { get; }

    /// <summary>Why it ends.</summary>
    public string FinishReason { get; }

    /// <summary>The tokens of the prompt.</summary>
    public int PromptTokens { get; }

    /// <summary>The tokens of all choices.</summary>
    public int CompletionTokens { get; }

    /// <summary>Answers a request.</summary>
    public static SimulatorAnswer To(SimulatorRequest request)
    {
        var calls = SimulatorToolCall.For(request);
        var texts = new byte[request.Choices][];
        var isCut = false;
        for (var i = 0; i < texts.Length; i++)
            texts[i] = calls.Length > 0 ? [] : TextOf(request, i, ref isCut);
        return new SimulatorAnswer(texts, isCut, calls, request.PromptTokens);
    }

    private static byte[] TextOf(SimulatorRequest request, int choice, ref bool isCut)
    {
        var writer = new ArrayBufferWriter<byte>(512);
        if (request.Choices > 1)
            Write(writer, $"(Choice {choice + 1} of {request.Choices}.) ");
        if (request.ToolResult is { } result)
        {
            writer.Write("The tool answered: "u8);
            WriteEcho(writer, result);
        }
        else
        {
            writer.Write(
                "Hello! This is Verbatim's built-in simulator: no model was asked and nothing left this machine, but the call is recorded like any other."u8
            );
            if (request.LastUserText.Length > 0)
            {
                writer.Write(" You said: "u8);
                WriteEcho(writer, request.LastUserText);
            }
            writer.Write(
                " Configure a provider to reach a real model; docs/simulator.md tells what else this one can do."u8
            );
        }

        var text = writer.WrittenSpan;
        if (request.Options.Chunks is { } chunks)
            text = Repeat(text, chunks);
        foreach (var stop in request.Stops)
        {
            if (text.IndexOf(stop) is >= 0 and var at)
                text = text[..at];
        }
        if (request.MaxTokens is { } most && Words.Count(text) > most)
        {
            isCut = true;
            text = text[..Words.LengthOf(text, most)];
        }
        return text.ToArray();
    }

    private static ReadOnlySpan<byte> Repeat(ReadOnlySpan<byte> text, int words)
    {
        var writer = new ArrayBufferWriter<byte>(words * 8);
        for (var left = words; left > 0; )
        {
            if (writer.WrittenCount > 0)
                writer.Write(" "u8);
            var take = Math.Min(left, Words.Count(text));
            writer.Write(text[..Words.LengthOf(text, take)]);
            left -= take;
        }
        return writer.WrittenSpan;
    }

    private static void WriteEcho(ArrayBufferWriter<byte> writer, ReadOnlySpan<byte> text)
    {
        writer.Write("\""u8);
        if (text.Length > MaxEcho)
        {
            var length = MaxEcho;
            // Not in the middle of a character: 10xxxxxx continues one.
            while (length > 0 && (text[length] & 0xC0) == 0x80)
                length--;
            writer.Write(text[..length]);
            writer.Write("…"u8);
        }
        else
        {
            writer.Write(text);
        }
        writer.Write("\"."u8);
    }

    private static void Write(ArrayBufferWriter<byte> writer, FormattableString text) =>
        writer.Write(Encoding.UTF8.GetBytes(text.ToString(CultureInfo.InvariantCulture)));
}
