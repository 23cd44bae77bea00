using Microsoft.AspNetCore.Http;

namespace Verbatim.Platform.Http;

/// <summary>An error on its way to a client.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">Stable and machine-readable, <c>module.reason</c>.</param>
/// <param name="Message">One sentence for a person, which says what to do where something can be done.</param>
public sealed record HttpError(int Status, string Code, string Message);

/// <summary>
/// How a group of routes says that something went wrong: RFC 9457 problems unless a route's metadata carries another dialect, as the
/// model wires do. A dialect may also own a path prefix, for requests that meet no route.
/// </summary>
public interface IErrorDialect
{
    /// <summary>What it is called in the API's description.</summary>
    string Name { get; }

    /// <summary>The content type of its errors.</summary>
    string ContentType { get; }

    /// <summary>The prefix that this dialect answers for when no route matches, for instance <c>/v1</c>.</summary>
    PathString Prefix { get; }

    /// <summary>Writes the error, status included. The response has not started.</summary>
    Task WriteAsync(HttpContext context, HttpError error);

    /// <summary>The body that <see cref="WriteAsync"/> writes, as an object whose type and value the API's description shows.</summary>
    object Describe(HttpError error);
}
