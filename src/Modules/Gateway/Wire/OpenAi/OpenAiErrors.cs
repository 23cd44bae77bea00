namespace Verbatim.Modules.Gateway.Wire.OpenAi;

/// <summary>Errors in OpenAI's shape.</summary>
internal static class OpenAiErrors
{
    /// <summary>The <c>type</c> that goes with a status and a code.</summary>
    public static string TypeOf(int status, string? code) =>
        (status, code) switch
        {
            _ => "invalid_request_error",
        };
}
