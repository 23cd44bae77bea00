using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;
using Verbatim.Tests.Upstream.Delivery;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>OpenAI's dialect: chat completions and models.</summary>
internal sealed class OpenAiWire(bool record) : IWire
{
    private const string Completions = "/v1/chat/completions";
    private const string Embedding = "/v1/embeddings";
    private const string Moderation = "/v1/moderations";
    private const string Legacy = "/v1/completions";
    private const string Models = "/v1/models";

    private static readonly FrozenSet<string> Meaningless = FrozenSet.Create(
        StringComparer.Ordinal,
        "signature",
        "redacted",
        "citations",
        "stop_sequence",
        "unknown_block",
        "ping_every",
        "polls"
    );

    // Where requests are recorded, commands carry fresh markers and nothing comes twice.
    private readonly CannedReplies? _canned = record ? null : new CannedReplies();

    public IReadOnlyList<KeyValuePair<string, string>> ProviderHeaders => OpenAiHeaders.All;

    public bool Serves(in WireRequest request) => request.Path.StartsWith("/v1/", StringComparison.Ordinal);

    public Reply Respond(in WireRequest request) => RespondAs(request);

    /// <summary>The same for another provider's paths, in whose place it has put OpenAI's.</summary>
    public Reply RespondAs(in WireRequest request)
    {
        try
        {
            if (request.Path is Completions)
                return request.IsPost ? Complete(request) : new Reply(OpenAiErrors.OnlyPost, CommandSet.None);
            if (request.Path is Embedding or Moderation or Legacy)
                return request.IsPost ? Answered(request) : new Reply(OpenAiErrors.OnlyPost, CommandSet.None);
            return Other(request);
        }
        catch (Exception e) when (JsonScan.IsBroken(e))
        {
            return new Reply(OpenAiErrors.BrokenJson, CommandSet.None);
        }
        catch (InvalidRequestException invalid)
        {
            return new Reply(OpenAiErrors.Invalid(invalid), CommandSet.None);
        }
        catch (WrongCommandException wrong)
        {
            return new Reply(OpenAiErrors.WrongCommand(wrong), CommandSet.None);
        }
    }

    private static Reply Other(in WireRequest request)
    {
        var name = request.Path.StartsWith(Models + "/", StringComparison.Ordinal)
            ? request.Path[(Models.Length + 1)..]
            : null;
        var (_, commands) = CommandReader.Read(request, name ?? "");
        var answer =
            OpenAiErrors.Given(commands, name ?? "", isStream: false)
            ?? (
                request.Path is not Models && name is null ? OpenAiErrors.UnknownUrl(request.Method, request.Path)
                : !request.IsGet ? OpenAiErrors.WrongMethod(request.Method, request.Path)
                : name is null ? ModelList.All
                : ModelList.One(name) ?? OpenAiErrors.Commanded(404, name, CommandSet.None)
            );
        StopPoints.Check(commands, answer.Parts);
        return new Reply(answer, commands);
    }

    /// <summary>Embeddings, moderations and legacy completions: the whole body is the key, since the whole answer depends on it.</summary>
    private Reply Answered(in WireRequest request)
    {
        var key = new CannedKey(stackalloc byte[CannedKey.Size]);
        if (_canned is not null)
        {
            key.Add(Encoding.UTF8.GetBytes(request.Path));
            key.Add(request.Body);
            key.Add(Encoding.UTF8.GetBytes(request.Deployment ?? ""));
            key.Add(Encoding.UTF8.GetBytes(request.CommandsBesideTheBody()));
            if (_canned.Find(key.Bytes) is { } canned)
                return canned;
        }

        var json = JsonElement.Parse(request.Body);
        if (json.ValueKind is not JsonValueKind.Object)
            throw new JsonException("not an object");
        var check = new OpenAiCheck("", json);
        var (fallback, meaningless, what) = request.Path switch
        {
            Embedding => ("", Embeddings.Meaningless, "embeddings"),
            Moderation => ("omni-moderation-latest", Moderations.Meaningless, "a moderation"),
            _ => ("", LegacyCompletion.Meaningless, "a completion"),
        };
        CheckBody(request.Path, check, isAzure: request.Deployment is not null);
        var raw = check.Optional("x_upstream")?.Json.GetRawText();
        var (model, commands) = CommandReader.Read(
            request,
            check.Optional("model")?.Text() ?? ModelOf(request.Deployment) ?? fallback,
            raw is null ? [] : Encoding.UTF8.GetBytes(raw)
        );
        CommandReader.Refuse(commands, what, meaningless);
        var answer =
            OpenAiErrors.Given(commands, model, LegacyCompletion.IsStream(json))
            ?? request.Path switch
            {
                Embedding => Embeddings.Of(json, model, commands),
                Moderation => Moderations.Of(json, model, commands),
                _ => LegacyCompletion.Of(json, model, commands, request.Body),
            };
        StopPoints.Check(commands, answer.Parts);
        var reply = new Reply(answer, commands);
        _canned?.Keep(key.Bytes, reply);
        return reply;
    }

    /// <summary>The name of a deployment without its commands.</summary>
    private static string? ModelOf(string? deployment) => deployment?.Split('@')[0];

    private static void CheckBody(string path, OpenAiCheck request, bool isAzure)
    {
        // There the path names the model.
        if (!isAzure && path is not Moderation)
            request.Required("model").Text();
        if (path is Embedding)
            Embeddings.Check(request);
        else if (path is Moderation)
            Moderations.Check(request);
        else
            LegacyCompletion.Check(request);
    }

    private Reply Complete(in WireRequest request)
    {
        var chat = ChatRequest.Read(request.Body);
        var key = new CannedKey(stackalloc byte[CannedKey.Size]);
        chat.AddTo(ref key);
        key.Add(Encoding.UTF8.GetBytes(request.CommandsBesideTheBody()));
        key.Add(Encoding.UTF8.GetBytes(request.Deployment ?? ""));
        if (_canned?.Find(key.Bytes) is { } canned)
            return canned;
        if ((chat.ModelName() ?? ModelOf(request.Deployment)) is not { } model)
            return new Reply(OpenAiErrors.NoModel, CommandSet.None);
        if (!chat.HasMessages)
            return new Reply(OpenAiErrors.NoMessages, CommandSet.None);

        var (name, commands) = CommandReader.Read(request, model, chat.Commands);
        CommandReader.Refuse(commands, "a chat completion", Meaningless);
        if (commands.UsageIn is UsagePlace.Start)
            throw new WrongCommandException("usage_in", "The command 'usage_in' takes final, finish or every here.");
        if (commands.Strict)
            ChatChecks.Check(JsonElement.Parse(request.Body));
        if (commands is { Filtered: true, As: Provider.Azure })
            return new Reply(ProviderErrors.AzureFiltered, commands);
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
