using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Anthropic;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>
/// The routes that both wires have under one path: whoever sends <c>anthropic-version</c>, as all of Anthropic's clients do, is answered as
/// by Anthropic.
/// </summary>
internal sealed class ModelsDialect : IErrorDialect
{
    public static readonly ModelsDialect Instance = new();

    public string Name => OpenAiErrors.Dialect.Name;

    public string ContentType => OpenAiErrors.Dialect.ContentType;

    public PathString Prefix => PathString.Empty;

    /// <summary>Whether the caller speaks Anthropic's wire.</summary>
    public static bool IsAnthropic(HttpRequest request) => request.Headers.ContainsKey("anthropic-version");

    /// <summary>The dialect of this caller.</summary>
    public static WireDialect Of(HttpRequest request) =>
        IsAnthropic(request) ? AnthropicErrors.Dialect : OpenAiErrors.Dialect;

    public Task WriteAsync(HttpContext context, HttpError error) => Of(context.Request).WriteAsync(context, error);

    public object Describe(HttpError error) => OpenAiErrors.Dialect.Describe(error);
}
