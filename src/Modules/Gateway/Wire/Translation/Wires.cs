using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.Translation.Chat;
using Verbatim.Modules.Gateway.Wire.Translation.Messages;
using Verbatim.Modules.Gateway.Wire.Translation.Responses;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>The parts of each wire. With them every pair is served: a wire more is a line in each of these.</summary>
internal static class Wires
{
    /// <summary>Whether calls of this operation can be translated.</summary>
    public static bool Knows(Operation operation) =>
        operation is Operation.ChatCompletions or Operation.Messages or Operation.Responses;

    /// <summary>Reads a caller's body.</summary>
    public static ModelRequest ReadRequest(Operation wire, RequestReading reading, JsonElement root) =>
        wire switch
        {
            Operation.ChatCompletions => ChatRequestReader.Read(reading, root),
            Operation.Messages => MessagesRequestReader.Read(reading, root),
            Operation.Responses => ResponsesRequestReader.Read(reading, root),
            _ => throw Unknown(wire),
        };

    /// <summary>Writes a body for the provider.</summary>
    public static void WriteRequest(ModelRequest request, RequestWriting writing)
    {
        switch (writing.Target.Operation)
        {
            case Operation.ChatCompletions:
                ChatRequestWriter.Write(request, writing);
                break;
            case Operation.Messages:
                MessagesRequestWriter.Write(request, writing);
                break;
            case Operation.Responses:
                ResponsesRequestWriter.Write(request, writing);
                break;
            default:
                throw Unknown(writing.Target.Operation);
        }
    }

    /// <summary>Reads the provider's answer.</summary>
    public static AnswerReader Reader(Operation wire, Answer answer) =>
        wire switch
        {
            Operation.ChatCompletions => new ChatAnswerReader(answer),
            Operation.Messages => new MessagesAnswerReader(answer),
            Operation.Responses => new ResponsesAnswerReader(answer),
            _ => throw Unknown(wire),
        };

    /// <summary>Writes the caller's answer.</summary>
    public static AnswerWriter Writer(Operation wire, ModelRequest request) =>
        wire switch
        {
            Operation.ChatCompletions => new ChatAnswerWriter(request.IncludesUsage),
            Operation.Messages => new MessagesAnswerWriter(request),
            Operation.Responses => new ResponsesAnswerWriter(request.Echo),
            _ => throw Unknown(wire),
        };

    private static ArgumentOutOfRangeException Unknown(Operation wire) =>
        new(nameof(wire), wire, "This operation is not translated.");
}
