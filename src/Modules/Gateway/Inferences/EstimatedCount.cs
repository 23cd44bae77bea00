using System.Globalization;
using System.Net.Mime;
using System.Text;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>Answers how many tokens a message has where no provider of its model can count them.</summary>
internal static class EstimatedCount
{
    /// <summary>Says that nobody counted.</summary>
    public const string Header = "x-verbatim-estimated";

    /// <summary>The estimate, or what is wrong with the request.</summary>
    public static long? Of(WireRequest request, out WireError? error) =>
        TokenEstimate.TryOf(Operation.CountTokens, request.Body, out var tokens, out error) ? tokens : null;

    /// <summary>Answers as Anthropic's API does (API reference, "Count Message tokens"), once that is on record.</summary>
    public static async Task AnswerAsync(long tokens, InferenceRecord record, IAnswerSink sink)
    {
        var answer = Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{{\"input_tokens\":{tokens}}}")
        );
        await record.EstimateAsync(answer);
        sink.Headers[Header] = "true";
        sink.Begin(StatusCodes.Status200OK, MediaTypeNames.Application.Json, answer.Length);
        await sink.Writer.WriteAsync(answer, sink.Aborted);
    }
}
