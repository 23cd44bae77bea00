using System.Globalization;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Audit.Changes;
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

    public static readonly HttpError WrongOrder = new(
        StatusCodes.Status400BadRequest,
        "audit.wrong-order",
        "'from' is later than 'to'; give the earlier version or instant as 'from'."
    );

    public static HttpError NoState(StateFault fault) =>
        fault.IsUnknown
            ? UnknownEvent(fault.Event.Version, fault.Event.Position, fault.Event.Type, fault.Event.TypeVersion)
            : UnfitEvent(fault.Event.Version, fault.Event.Position, fault.Event.Type);

    public static HttpError UnknownEvent(long version, long position, string type, int typeVersion) =>
        new(
            StatusCodes.Status501NotImplemented,
            "audit.event-unknown",
            string.Create(
                CultureInfo.InvariantCulture,
                $"This build does not know what event {version} of the stream is, at position {position}: '{type}' version {typeVersion}. So it cannot say what the stream adds up to from there on; the versions before can be read. Run the version of Verbatim that wrote it, or a later one."
            )
        );

    public static HttpError UnfitEvent(long version, long position, string type) =>
        new(
            StatusCodes.Status501NotImplemented,
            "audit.event-unfit",
            string.Create(
                CultureInfo.InvariantCulture,
                $"Event {version} of the stream, '{type}' at position {position}, does not fit what came before it, or its own type. So there is no state from there on; the versions before can be read."
            )
        );
}

/// <summary>Errors with what they say for instance.</summary>
internal static class SampleErrors
{
    public static readonly HttpError NoDocument = StreamErrors.NoDocument("counter");
    public static readonly HttpError NoSuchVersion = StreamErrors.NoSuchVersion(version: 3, last: 2);
    public static readonly HttpError NotBegun = StreamErrors.NotBegun(new DateTimeOffset(Samples.BeganAt));
    public static readonly HttpError UnknownEvent = StreamErrors.UnknownEvent(
        version: 2,
        position: 4812,
        "gateway.inference-dreamt",
        typeVersion: 1
    );
    public static readonly HttpError UnfitEvent = StreamErrors.UnfitEvent(
        version: 2,
        position: 4812,
        "gateway.inference-started"
    );
}
