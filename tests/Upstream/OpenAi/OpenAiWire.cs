using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;
using Verbatim.Tests.Upstream.Delivery;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>OpenAI's dialect: chat completions and models.</summary>
internal sealed class OpenAiWire(bool record) : IWire
{
    private const string Completions = "/v1/chat/completions";
    private const string Models = "/v1/models";

    // Where requests are recorded, commands carry fresh markers and nothing comes twice.
    private readonly CannedReplies? _canned = record ? null : new CannedReplies();

    public bool Serves(string path) => path.StartsWith("/v1/", StringComparison.Ordinal);

    public Reply Respond(string method, string path, ReadOnlySpan<byte> body, AttemptCounter? attempts)
    {
        if (path is Completions)
        {
            return HttpMethods.IsPost(method)
                ? Complete(body, attempts)
                : new Reply(OpenAiErrors.OnlyPost, CommandSet.None);
        }

        return new Reply(Other(method, path), CommandSet.None);
    }

    private static Answer Other(string method, string path)
    {
        var name = path.StartsWith(Models + "/", StringComparison.Ordinal) ? path[(Models.Length + 1)..] : null;
        if (path is not Models && name is null)
            return OpenAiErrors.UnknownUrl(method, path);
        if (!HttpMethods.IsGet(method))
            return OpenAiErrors.WrongMethod(method, path);
        return name is null ? ModelList.All : ModelList.One(name) ?? OpenAiErrors.Commanded(404, name, CommandSet.None);
    }

    private Reply Complete(ReadOnlySpan<byte> body, AttemptCounter? attempts)
    {
        try
        {
            var request = ChatRequest.Read(body);
            if (_canned?.Find(request) is { } canned)
                return canned;
            if (request.ModelName() is not { } model)
                return new Reply(OpenAiErrors.NoModel, CommandSet.None);
            if (!request.HasMessages)
                return new Reply(OpenAiErrors.NoMessages, CommandSet.None);

            var reply = Build(request, model, body, attempts);
            _canned?.Keep(request, reply);
            return reply;
        }
        catch (JsonException)
        {
            return new Reply(OpenAiErrors.BrokenJson, CommandSet.None);
        }
        catch (WrongCommandException wrong)
        {
            return new Reply(OpenAiErrors.WrongCommand(wrong), CommandSet.None);
        }
    }

    private static Reply Build(ChatRequest request, string model, ReadOnlySpan<byte> body, AttemptCounter? attempts)
    {
        var (name, commands) = CommandReader.ReadModel(model);
        commands = CommandReader.Check(CommandReader.ReadBody(request.Commands, commands, attempts));
        var answer = Build(request, name, commands, body);
        StopPoints.Check(commands, answer.Parts);
        return new Reply(answer, commands);
    }

    private static Answer Build(ChatRequest request, string model, CommandSet commands, ReadOnlySpan<byte> body)
    {
        if (commands.Body is { } given)
        {
            var type = commands.ContentType ?? (request.IsStream ? EventStream.ContentType : "application/json");
            return Answer.Of(commands.Status ?? 200, type, given);
        }

        if (commands.Status is >= 300 and var status)
            return OpenAiErrors.Commanded(status, model, commands);
        var completion = Completion.Of(request, model, commands, body);
        return request.IsStream ? CompletionStream.Of(completion) : CompletionJson.Of(completion);
    }
}
