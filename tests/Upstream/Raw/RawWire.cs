using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;
using Verbatim.Tests.Upstream.Delivery;
using Verbatim.Tests.Upstream.OpenAi;

namespace Verbatim.Tests.Upstream.Raw;

/// <summary>
/// What a gateway passes through unread: files, sounds and pictures. Commands come beside the body; with <c>echo</c>
/// the answer is the body of the request, to the byte, in its own content type.
/// </summary>
internal sealed class RawWire(bool record) : IWire
{
    private const string Audio = "/v1/audio/";
    private const string Images = "/v1/images/";
    private const int MostPictures = 10;

    private static readonly FrozenSet<string> Meaningless = Embeddings.Without(
        "echo",
        "text",
        "chunk_text",
        "chunks",
        "bytes"
    );

    // Nothing is kept under load.
    private readonly Files _files = new(record ? new FileStore() : null);

    public IReadOnlyList<KeyValuePair<string, string>> ProviderHeaders => OpenAiHeaders.All;

    public bool Serves(in WireRequest request) =>
        Files.Serves(request.Path)
        || request.Path.StartsWith(Audio, StringComparison.Ordinal)
        || request.Path.StartsWith(Images, StringComparison.Ordinal);

    public Reply Respond(in WireRequest request)
    {
        try
        {
            var (_, commands) = CommandReader.Read(request, _files.CommandsOf(request) ?? ModelOf(request));
            CommandReader.Refuse(commands, "what is passed through", Meaningless);
            var answer = OpenAiErrors.Given(commands, "", isStream: false) ?? Answered(request, commands);
            StopPoints.Check(commands, answer.Parts);
            return new Reply(answer, commands);
        }
        catch (JsonException)
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

    // The name of the model, in whichever body it is: it passes through a gateway, as nothing beside the body does.
    private static string ModelOf(in WireRequest request)
    {
        if (!request.IsPost)
            return "";
        if (request.Header("content-type").StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
            return Form.TryRead(request)?["model"] ?? "";
        if (!request.Header("content-type").StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
            return "";
        return
            JsonElement.Parse(request.Body) is { ValueKind: JsonValueKind.Object } body
            && body.TryGetProperty("model", out var model)
            && model.ValueKind is JsonValueKind.String
            ? model.GetString()!
            : "";
    }

    private Answer Answered(in WireRequest request, CommandSet commands)
    {
        if (commands.Echo)
        {
            var type = request.Header("content-type");
            return Answer.Of(
                commands.Status ?? 200,
                commands.ContentType ?? (type.Length > 0 ? type : "application/octet-stream"),
                request.Body.ToArray()
            );
        }

        if (Files.Serves(request.Path))
            return _files.Answer(request);
        if (!request.IsPost)
            return OpenAiErrors.WrongMethod(request.Method, request.Path);
        switch (request.Path)
        {
            case Audio + "transcriptions":
            case Audio + "translations":
                return Media.Transcription(Form.Read(request), commands, request.Body);
            case Audio + "speech":
                return Media.Speech(JsonElement.Parse(request.Body), commands);
            case Images + "generations":
                var check = new OpenAiCheck("", JsonElement.Parse(request.Body));
                check.Required("prompt").Text();
                var count = (int)Math.Min(check.Optional("n")?.Integer(least: 1) ?? 1, MostPictures);
                var asUrl = check.Optional("response_format")?.OneOf("url", "b64_json") is "url";
                return Media.Images(count, asUrl, commands);
            case Images + "edits":
            case Images + "variations":
                var form = Form.Read(request);
                return Media.Images(
                    int.TryParse(form["n"], CultureInfo.InvariantCulture, out var n)
                        ? Math.Clamp(n, 1, MostPictures)
                        : 1,
                    form["response_format"] is "url",
                    commands
                );
            default:
                return OpenAiErrors.UnknownUrl(request.Method, request.Path);
        }
    }
}
