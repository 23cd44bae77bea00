using System.Text;
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

    public IReadOnlyList<KeyValuePair<string, string>> ProviderHeaders => OpenAiHeaders.All;

    public bool Serves(in WireRequest request) => request.Path.StartsWith("/v1/", StringComparison.Ordinal);

    public Reply Respond(in WireRequest request)
    {
        try
        {
            if (request.Path is Completions)
                return request.IsPost ? Complete(request) : new Reply(OpenAiErrors.OnlyPost, CommandSet.None);
            return new Reply(Other(request.Method, request.Path), CommandSet.None);
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

    private static Answer Other(string method, string path)
    {
        var name = path.StartsWith(Models + "/", StringComparison.Ordinal) ? path[(Models.Length + 1)..] : null;
        if (path is not Models && name is null)
            return OpenAiErrors.UnknownUrl(method, path);
        if (!HttpMethods.IsGet(method))
            return OpenAiErrors.WrongMethod(method, path);
        return name is null ? ModelList.All : ModelList.One(name) ?? OpenAiErrors.Commanded(404, name, CommandSet.None);
    }

    private Reply Complete(in WireRequest request)
    {
        var chat = ChatRequest.Read(request.Body);
        var key = new CannedKey(stackalloc byte[CannedKey.Size]);
        chat.AddTo(ref key);
        key.Add(Encoding.UTF8.GetBytes(request.CommandsBesideTheBody()));
        if (_canned?.Find(key.Bytes) is { } canned)
            return canned;
        if (chat.ModelName() is not { } model)
            return new Reply(OpenAiErrors.NoModel, CommandSet.None);
        if (!chat.HasMessages)
            return new Reply(OpenAiErrors.NoMessages, CommandSet.None);

        var (name, commands) = CommandReader.Read(request, model, chat.Commands);
        var answer = Build(chat, name, commands, request.Body);
        StopPoints.Check(commands, answer.Parts);
        var reply = new Reply(answer, commands);
        _canned?.Keep(key.Bytes, reply);
        return reply;
    }

    private static Answer Build(ChatRequest request, string model, CommandSet commands, ReadOnlySpan<byte> body)
    {
        if (OpenAiErrors.Given(commands, model, request.IsStream) is { } given)
            return given;
        var completion = Completion.Of(request, model, commands, body);
        return request.IsStream ? CompletionStream.Of(completion) : CompletionJson.Of(completion);
    }
}
