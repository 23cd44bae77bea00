using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;
using Verbatim.Tests.Upstream.Delivery;
using Verbatim.Tests.Upstream.OpenAi;

namespace Verbatim.Tests.Upstream.Responses;

/// <summary>OpenAI's dialect of responses: creating, asking again, cancelling and deleting them.</summary>
internal sealed class ResponsesWire(bool record) : IWire
{
    private const string Root = "/v1/responses";

    private static readonly FrozenSet<string> Meaningless = FrozenSet.Create(
        StringComparer.Ordinal,
        "choices",
        "usage_in",
        "interleave",
        "reasoning_as",
        "signature",
        "audio",
        "stop_sequence",
        "as",
        "whole_calls",
        "no_ids",
        "filtered",
        "strict"
    );

    // Where requests are recorded, commands carry fresh markers and nothing comes twice.
    private readonly CannedReplies? _canned = record ? null : new CannedReplies();

    // Nothing is kept under load.
    private readonly ResponseStore? _store = record ? new ResponseStore() : null;

    public IReadOnlyList<KeyValuePair<string, string>> ProviderHeaders => OpenAiHeaders.All;

    public bool Serves(in WireRequest request) =>
        request.Path.StartsWith(Root, StringComparison.Ordinal)
        && (request.Path.Length == Root.Length || request.Path[Root.Length] is '/');

    public Reply Respond(in WireRequest request)
    {
        try
        {
            if (request.Path.Length == Root.Length)
                return request.IsPost ? Create(request) : Plain(OpenAiErrors.OnlyPost);
            return RespondToOne(request);
        }
        catch (Exception e) when (JsonScan.IsBroken(e))
        {
            return Plain(OpenAiErrors.BrokenJson);
        }
        catch (InvalidRequestException invalid)
        {
            return Plain(OpenAiErrors.Invalid(invalid));
        }
        catch (WrongCommandException wrong)
        {
            return Plain(OpenAiErrors.WrongCommand(wrong));
        }
    }

    private static Reply Plain(Answer answer) => new(answer, CommandSet.None);

    private Reply Create(in WireRequest request)
    {
        var key = new CannedKey(stackalloc byte[CannedKey.Size]);
        if (_canned is not null)
        {
            ResponseRequest.AddTo(ref key, request.Body);
            key.Add(Encoding.UTF8.GetBytes(request.CommandsBesideTheBody()));
            if (_canned.Find(key.Bytes) is { } canned)
                return canned;
        }

        var json = JsonElement.Parse(request.Body);
        if (json.ValueKind is not JsonValueKind.Object)
            throw new JsonException("not an object");
        var fields = new ResponseRequest(json);
        ResponseChecks.Check(json, OpenCalls(fields));

        var raw = fields.Value("x_upstream")?.GetRawText();
        var (model, commands) = CommandReader.Read(
            request,
            fields.Value("model")!.Value.GetString()!,
            raw is null ? [] : Encoding.UTF8.GetBytes(raw)
        );
        CommandReader.Refuse(commands, "a response", Meaningless);
        var answer = Build(request, fields, model, commands);
        StopPoints.Check(commands, answer.Parts);
        var reply = new Reply(answer, commands);
        _canned?.Keep(key.Bytes, reply);
        return reply;
    }

    private Answer Build(in WireRequest request, ResponseRequest fields, string model, CommandSet commands)
    {
        if (OpenAiErrors.Given(commands, model, fields.IsStream) is { } given)
            return given;
        var response = ModelResponse.Of(fields, model, commands, request.Body);
        var answer = Answered(response, commands);
        if (fields.IsStored)
        {
            var id = commands.Id ?? OutputItem.ResponseIdOf(request.Stamp);
            var polls = fields.IsBackground ? commands.Polls : 0;
            // A later look at the stream is whole, whatever was done to the first.
            var stream = fields is { IsStream: true, IsBackground: true } ? ResponseStream.Of(response) : null;
            _store?.Keep(id, new StoredResponse(response, request.Stamp, stream, polls));
        }

        return answer;
    }

    private static Answer Answered(ModelResponse response, CommandSet commands)
    {
        if (response.Request.IsStream)
            return ResponseStream.Of(response);
        if (commands.GarbageAfter is not null)
            return Answer.Of(200, "application/json", """{"id":"resp_broken","object":"response","outp"""u8.ToArray());
        if (commands.ErrorAfter is not null)
            return Answer.Of(200, "application/json", OpenAiErrors.InStream(commands));
        return response.Json(response.Request.IsBackground ? "queued" : response.EndStatus);
    }

    /// <summary>The calls of the response that is gone on from.</summary>
    private List<string> OpenCalls(ResponseRequest request)
    {
        if (_store is null || request.PreviousId is not { } id)
            return [];
        if (_store.Find(id) is { } previous)
            return [.. previous.Response.Output.OfType<CallItem>().Select(static call => call.CallId)];
        throw new InvalidRequestException($"Previous response with id '{id}' not found.")
        {
            Field = "previous_response_id",
            Code = "previous_response_not_found",
        };
    }

    private Reply RespondToOne(in WireRequest request)
    {
        var path = request.Path[(Root.Length + 1)..].Split('/');
        var (_, commands) = CommandReader.Read(request, "");
        if (OpenAiErrors.Given(commands, "", isStream: false) is { } given)
            return new Reply(given, commands);
        if (_store?.Find(path[0]) is not { } stored)
            return Plain(OpenAiErrors.NotFound($"Response with id '{path[0]}' not found."));
        var answer = path switch
        {
            [_] when request.IsGet => Retrieve(request, stored),
            [var id] when request.IsDelete => Delete(id),
            [_, "cancel"] when request.IsPost => Cancel(stored),
            [_, "input_items"] when request.IsGet => InputItems.List(request, stored),
            [_] or [_, "cancel" or "input_items"] => OpenAiErrors.WrongMethod(request.Method, request.Path),
            _ => OpenAiErrors.UnknownUrl(request.Method, request.Path),
        };
        StopPoints.Check(commands, answer.Parts);
        return new Reply(answer, commands) { Stamp = stored.Stamp };
    }

    private static Answer Retrieve(in WireRequest request, StoredResponse stored)
    {
        if (request.Parameter("stream") is not "true")
            return stored.Response.Json(stored.Poll());
        if (stored.Stream is not { } stream)
        {
            throw new InvalidRequestException(
                "This response cannot be streamed: it was not created with background=true and stream=true."
            )
            {
                Field = "stream",
            };
        }

        if (request.Parameter("starting_after") is not { } after)
            return stream;
        if (!int.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw new InvalidRequestException("Invalid type for 'starting_after': expected an integer.")
            {
                Field = "starting_after",
                Code = "invalid_type",
            };
        }

        // The number of an event is its place.
        return new Answer(
            200,
            stream.ContentType,
            stream.Parts[Math.Min(number + 1, stream.Parts.Length)..],
            IsStream: true
        );
    }

    private Answer Delete(string id)
    {
        _store!.Remove(id);
        return Answer.Of(
            200,
            "application/json",
            JsonBody.Indented(writer =>
            {
                writer.WriteString("id"u8, id);
                writer.WriteString("object"u8, "response"u8);
                writer.WriteBoolean("deleted"u8, true);
            })
        );
    }

    private static Answer Cancel(StoredResponse stored) =>
        stored.Response.Request.IsBackground
            ? stored.Response.Json(stored.Cancel())
            : throw new InvalidRequestException("Cannot cancel a synchronous response.");
}
