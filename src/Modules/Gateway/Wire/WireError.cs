using Verbatim.Modules.Gateway.Wire.OpenAi;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>Why a request on a model wire is refused or failed, in the parts of OpenAI's error object, which has the most of them.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Message">One sentence or two for a person. Never a part of the body.</param>
/// <param name="Param">The parameter at fault (<c>model</c>, <c>stream_options.include_usage</c>), or null.</param>
/// <param name="Code">OpenAI's own code where it has one (<c>model_not_found</c>, <c>invalid_type</c>), or null.</param>
internal sealed record WireError(int Status, string Message, string? Param, string? Code)
{
    /// <summary>The error's <c>type</c>; follows from the status and the code unless it is set.</summary>
    public string Type
    {
        get => field ?? TypeOf(Status, Code);
        init;
    }

    /// <summary>What programs read beside the message, on wires that have a place for it: JSON, or empty.</summary>
    public ReadOnlyMemory<byte> Details { get; init; }

    // Seen on the wire: 400, 401, 403 and 404 are all "invalid_request_error"; a 429 names what was exceeded, "requests" or "tokens", with
    // the code rate_limit_exceeded; a budget that is used up is "insufficient_quota" in both; 5xx is "server_error" without a code.
    private static string TypeOf(int status, string? code) =>
        status switch
        {
            _ when code == OpenAiErrors.InsufficientQuota => OpenAiErrors.InsufficientQuota,
            429 => "requests",
            >= 500 => "server_error",
            _ => "invalid_request_error",
        };
}
