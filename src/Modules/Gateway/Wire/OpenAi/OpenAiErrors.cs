using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Wire.OpenAi;

/// <summary>Errors in OpenAI's shape.</summary>
internal sealed class OpenAiErrors : IErrorDialect
{
    public static readonly OpenAiErrors Dialect = new();
    public PathString Prefix => "/v1";

    public Task WriteAsync(HttpContext context, HttpError error) =>
        WriteAsync(context, new WireError(error.Status, error.Message, null, error.Code));

    public static Task WriteAsync(HttpContext context, WireError error)
    {
        context.Response.StatusCode = error.Status;
        return context.Response.WriteAsJsonAsync(
            new
            {
                error = new
                {
                    message = error.Message,
                    type = TypeOf(error.Status, error.Code),
                    param = error.Param,
                    code = error.Code,
                },
            }
        );
    }

    public static Task WriteInStreamAsync(HttpContext context, WireError error) =>
        context.Response.WriteAsync(
            "data: "
                + JsonSerializer.Serialize(
                    new
                    {
                        error = new
                        {
                            message = error.Message,
                            type = TypeOf(error.Status, error.Code),
                            param = error.Param,
                            code = error.Code,
                        },
                    }
                )
                + "\n\n"
        );

    /// <summary>The <c>type</c> that goes with a status and a code.</summary>
    public static string TypeOf(int status, string? code) =>
        (status, code) switch
        {
            _ => "invalid_request_error",
        };
}
