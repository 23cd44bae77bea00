using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Media;

/// <summary>
/// OpenAI's routes for sound and images. They go to providers of that wire as they are: routed by their model, tried again, limited and on record
/// like all others, but what is no JSON is kept as a digest.
/// </summary>
internal sealed class PassOnMedia(InferenceCalls calls) : IEndpoint
{
    private static readonly MediaRoute[] Media =
    [
        new(
            "createSpeech",
            "audio/speech",
            Operation.Speech,
            "Say a text",
            """{"model":"tts-1","voice":"alloy","input":"Hello!"}"""
        ),
        new(
            "createTranscription",
            "audio/transcriptions",
            Operation.Transcriptions,
            "Write down what is said",
            Example: null
        ),
        new(
            "createTranslation",
            "audio/translations",
            Operation.AudioTranslations,
            "Write down in English what is said",
            Example: null
        ),
        new(
            "createImage",
            "images/generations",
            Operation.ImageGenerations,
            "Make an image",
            """{"model":"gpt-image-1","prompt":"A lighthouse at dusk"}"""
        ),
        new("createImageEdit", "images/edits", Operation.ImageEdits, "Change an image", Example: null),
        new("createImageVariation", "images/variations", Operation.ImageVariations, "Vary an image", Example: null),
    ];

    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes)
    {
        foreach (var media in Media)
            Map(routes, media);
    }

    private void Map(IEndpointRouteBuilder routes, MediaRoute media)
    {
        var wire = CallerWire.Raw(media.Operation, "openai." + media.Path.Replace('/', '-'));
        var route = routes
            .MapInference(media.Path, wire, http => calls.AnswerAsync(http, wire))
            .WithName(media.Name)
            .WithSummary(media.Summary)
            .WithDescription(
                $"OpenAI's `{media.Path}`. Body and answer pass as they are; `model` must be given, since it says where the call goes."
            )
            .Produces(StatusCodes.Status200OK);
        if (media.Example is { } example)
        {
            route
                .Accepts<System.Text.Json.Nodes.JsonObject>("application/json")
                .WithRequestExample(System.Text.Json.Nodes.JsonNode.Parse(example)!);
        }
    }

    private sealed record MediaRoute(string Name, string Path, Operation Operation, string Summary, string? Example);
}
