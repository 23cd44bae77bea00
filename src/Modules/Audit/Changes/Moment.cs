using System.Diagnostics.CodeAnalysis;
using Microsoft.OpenApi;
using Verbatim.Modules.Audit.Streams;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Audit.Changes;

/// <summary>A moment of a stream: behind a version, or at an instant.</summary>
/// <param name="Version">1 or more; null for an instant.</param>
/// <param name="At">The instant; null for a version.</param>
internal sealed record Moment(long? Version, Instant? At)
{
    public static bool TryParse(string? text, [NotNullWhen(true)] out Moment? moment)
    {
        moment =
            WholeNumberAttribute.TryParse(text, out var version) ? (version > 0 ? new Moment(version, null) : null)
            : Instant.TryParse(text, out var at) ? new Moment(null, at)
            : null;
        return moment is not null;
    }

    /// <summary>The version that the stream had then.</summary>
    /// <returns>The version, or why there is none.</returns>
    public async Task<(long Version, HttpError? Error)> FindAsync(
        Guid tenantId,
        Guid streamId,
        StreamHead head,
        StreamHistory streams,
        CancellationToken cancellationToken
    )
    {
        if (Version is { } version)
            return version <= head.Version ? (version, null) : (0, StreamErrors.NoSuchVersion(version, head.Version));
        var then = await streams.VersionAtAsync(tenantId, streamId, At!, cancellationToken);
        return then > 0 ? (then, null) : (0, StreamErrors.NotBegun(head.BeganAt));
    }
}

/// <summary>A query parameter that is a moment of a stream.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class MomentAttribute : QueryTextAttribute
{
    public override bool IsValid(object? value) => value is null || Moment.TryParse(value as string, out _);

    public override string FormatErrorMessage(string name) =>
        "Give a version of the stream, 1 or more, or an instant as RFC 3339 writes it, for instance 2026-01-31T12:00:00Z.";

    public override void Describe(OpenApiSchema schema) => schema.Type = JsonSchemaType.String;
}
