using System.Text.Json.Serialization;

namespace Verbatim.Platform.Http;

/// <summary>What went wrong (RFC 9457). <c>code</c> is what a program looks at: it never changes.</summary>
/// <param name="Type">Where the status is explained.</param>
/// <param name="Title">The status, in words.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">One sentence for a person; not there when <c>errors</c> says more.</param>
/// <param name="Code">Stable and machine-readable: <c>reason</c>, or <c>module.reason</c> for a rule of a module.</param>
/// <param name="RequestId">The id of this request, as in <c>x-request-id</c>: the server's log has it too.</param>
/// <param name="TraceId">The W3C trace that this request is part of.</param>
/// <param name="Errors">What is wrong with each field, when the code is <c>validation-failed</c>.</param>
internal sealed record Problem(
    string Type,
    string Title,
    int Status,
    string Code,
    string RequestId,
    string TraceId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Detail = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        IReadOnlyDictionary<string, IReadOnlyList<string>>? Errors = null
)
{
    private const string SampleRequestId = "0198c8a42f6b7d0e9a51c3e07b64d218";
    private const string SampleTraceId = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    /// <summary>The problem that an error is written as; ids of the request are samples.</summary>
    public static Problem Of(HttpError error)
    {
        var written = Problems.Create(error).ProblemDetails;
        return new Problem(
            written.Type!,
            written.Title!,
            error.Status,
            error.Code,
            SampleRequestId,
            SampleTraceId,
            error.Message
        );
    }

    /// <summary>The problem of a request whose fields are wrong, for instance.</summary>
    public static Problem OfFields { get; } =
        Of(Http.Errors.ValidationFailed) with
        {
            Title = "One or more validation errors occurred.",
            Detail = null,
            Errors = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
            {
                ["name"] = ["The Name field is required."],
            },
        };
}
