using System.Globalization;
using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Audit.Streams;

/// <summary>What can be wrong with a stream, or with a moment of it.</summary>
internal static class StreamErrors
{
    // Another organization's stream is answered in the same words: that it exists is not told.
    public static readonly HttpError NotFound = new(
        StatusCodes.Status404NotFound,
        "audit.stream-not-found",
        "There is no stream of this id in your organization."
    );

    public static HttpError NoDocument(string streamType) =>
        new(
            StatusCodes.Status404NotFound,
            "audit.no-document",
            $"Streams of the type '{streamType}' add up to no document; read the events instead."
        );

    public static HttpError NoSuchVersion(long version, long last) =>
        new(
            StatusCodes.Status404NotFound,
            "audit.version-not-found",
            string.Create(CultureInfo.InvariantCulture, $"The stream has {last} events; there is no version {version}.")
        );

    public static HttpError NotBegun(DateTimeOffset beganAt) =>
        new(
            StatusCodes.Status404NotFound,
            "audit.stream-not-begun",
            $"At that time the stream had not begun: its first event was recorded at {Times.Of(beganAt)}."
        );

    public static HttpError UnknownEvent(long version) =>
        new(
            StatusCodes.Status501NotImplemented,
            "audit.event-unknown",
            string.Create(
                CultureInfo.InvariantCulture,
                $"This build does not know the type of event {version} of the stream, so it cannot say what it adds up to from there on. Run the version of Verbatim that wrote it, or a later one."
            )
        );
}
