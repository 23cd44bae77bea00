using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Audit.Exports;

/// <summary>Why there is no export.</summary>
internal static class ExportErrors
{
    public static readonly HttpError NothingSigned = new(
        StatusCodes.Status503ServiceUnavailable,
        "audit.nothing-signed",
        "Nothing is signed yet, so nothing could be proven: the first checkpoint comes a second after the first event. Try again then."
    );

    public static HttpError UnknownType(string type) =>
        new(
            StatusCodes.Status400BadRequest,
            "audit.unknown-event-type",
            $"There is no event type '{type}'; docs/events.md lists those that there are. Events of a type that only another version of Verbatim knows are chosen by stream or by time."
        );
}
