using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;
using Verbatim.Tests.Upstream.Delivery;
using Verbatim.Tests.Upstream.Raw;

namespace Verbatim.Tests.Upstream.Anthropic;

/// <summary>Anthropic's dialect: messages, the counting of their tokens, and models.</summary>
internal sealed class AnthropicWire(bool record) : IWire
{
    private const string Messages = "/v1/messages";
    private const string CountTokens = "/v1/messages/count_tokens";
    private const string Models = "/v1/models";
    private const string Files = "/v1/files";
    private const string VersionHeader = "anthropic-version";

    /// <summary>The official clients send their keys so since 2026; the older header is answered as before.</summary>
    private const string BearerPrefix = "Bearer ";

    private static readonly FrozenSet<string> Meaningless = FrozenSet.Create(
        StringComparer.Ordinal,
        "error_code",
        "choices",
        "reasoning_as",
        "logprobs",
        "audio",
        "as",
        "whole_calls",
        "no_ids",
        "filtered",
        "strict"
    );

    // Nothing is kept under load.
    private readonly AnthropicFiles _files = new(record ? new FileStore() : null);

    // Where requests are recorded, commands carry fresh markers and nothing comes twice.
    private readonly CannedReplies? _canned = record ? null : new CannedReplies();

    public IReadOnlyList<KeyValuePair<string, string>> ProviderHeaders => AnthropicHeaders.All;

    public bool Serves(in WireRequest request) =>
        request.Path.StartsWith(Messages, StringComparison.Ordinal)
        || (
            (
                request.Path.StartsWith(Models, StringComparison.Ordinal)
                || request.Path.StartsWith(Files, StringComparison.Ordinal)
            ) && request.Headers.ContainsKey(VersionHeader)
        );

    public Reply Respond(in WireRequest request)
    {
        try
        {
            var answer = Refusal(request);
            if (answer is not null)
                return new Reply(answer, CommandSet.None);
            if (request.Path.StartsWith(Files, StringComparison.Ordinal))
                return Plain(_files.Answer(request));
            return request.Path switch
            {
                Messages => request.IsPost ? Answered(request, isCount: false) : Plain(AnthropicErrors.WrongMethod),
                CountTokens => request.IsPost ? Answered(request, isCount: true) : Plain(AnthropicErrors.WrongMethod),
                _ => ModelsAnswer(request),
            };
        }
        catch (Exception e) when (JsonScan.IsBroken(e))
        {
            return Plain(AnthropicErrors.BrokenJson);
        }
        catch (InvalidRequestException invalid)
        {
            return Plain(AnthropicErrors.Invalid(invalid.Message));
        }
        catch (WrongCommandException wrong)
        {
            return Plain(AnthropicErrors.Invalid(wrong.Message));
        }
    }

    private static Reply Plain(Answer answer) => new(answer, CommandSet.None);

    private static Answer? Refusal(in WireRequest request)
    {
        if (request.Header("x-api-key").Length is 0)
        {
            var bearer = request.Header("authorization");
            if (bearer.Length is 0)
                return AnthropicErrors.NoKey;
            if (!bearer.StartsWith(BearerPrefix, StringComparison.Ordinal) || bearer.Length == BearerPrefix.Length)
                return AnthropicErrors.WrongToken;
        }

        return request.Header(VersionHeader).Length is 0 ? AnthropicErrors.NoVersion : null;
    }

    private static Reply ModelsAnswer(in WireRequest request)
    {
        var name = request.Path.StartsWith(Models + "/", StringComparison.Ordinal)
            ? request.Path[(Models.Length + 1)..]
            : null;
        if (request.Path is not Models && name is null)
            return Plain(AnthropicErrors.UnknownUrl);
        if (!request.IsGet)
            return Plain(AnthropicErrors.WrongMethod);
        var (_, commands) = CommandReader.Read(request, name ?? "");
        var answer =
            Given(commands, name ?? "", isStream: false)
            ?? (name is null ? ModelPage.List(request) : ModelPage.One(name) ?? AnthropicErrors.NoModel(name));
        StopPoints.Check(commands, answer.Parts);
        return new Reply(answer, commands);
    }

    private Reply Answered(in WireRequest request, bool isCount)
    {
        var fields = MessageRequest.Read(request.Body);
        var key = new CannedKey(stackalloc byte[CannedKey.Size]);
        if (fields.LooksComplete || isCount)
        {
            key.Add(isCount);
            key.Add(fields.Model);
            key.Add(fields.Commands);
            key.Add(fields.IsStream);
            key.Add(Encoding.UTF8.GetBytes(request.CommandsBesideTheBody()));
        }

        if (_canned?.Find(key.Bytes) is { } canned)
            return canned;
        using (var document = Document(request.Body))
            RequestChecks.Check(document.RootElement, isCount);

        var (model, commands) = CommandReader.Read(request, JsonScan.Text(fields.Model)!, fields.Commands);
        CommandReader.Refuse(commands, "a message", Meaningless);
        if (commands.UsageIn is UsagePlace.Every)
            throw new WrongCommandException("usage_in", "The command 'usage_in' takes final, start or finish here.");
        var answer =
            Given(commands, model, fields.IsStream)
            ?? (isCount ? Count(commands) : Build(fields, model, commands, request.Body));
        StopPoints.Check(commands, answer.Parts);
        var reply = new Reply(answer, commands);
        _canned?.Keep(key.Bytes, reply);
        return reply;
    }

    private static JsonDocument Document(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        return JsonDocument.ParseValue(ref reader);
    }

    /// <summary>The body or the error that was commanded; null when there is none.</summary>
    private static Answer? Given(CommandSet commands, string model, bool isStream)
    {
        if (commands.Body is { } given)
        {
            var type = commands.ContentType ?? (isStream ? EventStream.ContentType : "application/json");
            return Stamped(Answer.Of(commands.Status ?? 200, type, given));
        }

        return commands.Status is >= 300 and var status ? AnthropicErrors.Commanded(status, model, commands) : null;
    }

    private static Answer Build(MessageRequest request, string model, CommandSet commands, ReadOnlySpan<byte> body)
    {
        var message = Message.Of(request, model, commands, body);
        return Stamped(request.IsStream ? MessageStream.Of(message) : MessageJson.Of(message));
    }

    private static Answer Count(CommandSet commands)
    {
        var usage = MessageUsage.Of(commands, 0, 0);
        return Stamped(
            Answer.Json(
                commands.Status ?? 200,
                commands.ContentType ?? "application/json",
                JsonBody.Compact(writer => writer.WriteNumber("input_tokens"u8, usage.TotalInput))
            )
        );
    }

    private static Answer Stamped(Answer answer) => answer with { Stamped = AnthropicHeaders.RequestId };
}
