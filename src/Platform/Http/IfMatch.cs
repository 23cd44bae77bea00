using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Verbatim.Platform.Http;

/// <summary>
/// The condition <c>If-Match</c> of a request (RFC 9110 §13.1.1): a change goes ahead only at a version that the caller has seen. It travels
/// with the append's context, so that every decision about a document honours it without the endpoint's doing.
/// </summary>
public sealed class IfMatch
{
    private readonly IReadOnlyList<EntityTagHeaderValue> _tags;

    private IfMatch(IReadOnlyList<EntityTagHeaderValue> tags) => _tags = tags;

    /// <summary>The request's condition, or null when it has none.</summary>
    public static IfMatch? Of(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var given = request.Headers.IfMatch;
        if (given.Count == 0)
            return null;
        // What is no tag matches no version: refusing is the safe reading of a condition that cannot be understood.
        return new IfMatch(EntityTagHeaderValue.TryParseStrictList(given, out var tags) ? [.. tags] : []);
    }

    /// <summary>Whether a document of this version may be changed; 0 stands for one that does not exist.</summary>
    public bool Allows(long version) =>
        version > 0
        && _tags.Any(tag =>
            !tag.IsWeak
            && (
                tag.Equals(EntityTagHeaderValue.Any) || tag.Tag.Equals(EntityTags.Of(version), StringComparison.Ordinal)
            )
        );
}

/// <summary>Entity tags of documents: the version of the stream.</summary>
public static class EntityTags
{
    /// <summary>The tag of a version, with its quotes: <c>"3"</c>.</summary>
    public static string Of(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>Sets the <c>ETag</c> of an answer that shows one document.</summary>
    public static void Set(HttpContext context, long version)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Response.Headers.ETag = Of(version);
    }
}
