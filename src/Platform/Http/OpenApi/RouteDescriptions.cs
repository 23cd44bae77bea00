using Microsoft.AspNetCore.Builder;

namespace Verbatim.Platform.Http.OpenApi;

/// <summary>
/// What a route says about itself beyond its summary, its description and its types: declared where the route is mapped, shown in the
/// OpenAPI description.
/// </summary>
public static class RouteDescriptions
{
    /// <summary>
    /// Beside a route's own type of body: the route is found whatever comes, so that who may not call it is told that first, and refuses the rest by
    /// itself. Not shown.
    /// </summary>
    public const string AnyContent = "*/*";

    /// <summary>Shows a request's body.</summary>
    /// <param name="builder">The route.</param>
    /// <param name="example">A request as the handler gets it, or the JSON itself as a text.</param>
    /// <param name="name">Tells several examples apart.</param>
    public static TBuilder WithRequestExample<TBuilder>(this TBuilder builder, object example, string? name = null)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RequestExample(example, name));

    /// <summary>Shows a response's body.</summary>
    /// <param name="builder">The route.</param>
    /// <param name="status">The status that it comes with.</param>
    /// <param name="example">A response as the handler returns it, or the text itself.</param>
    /// <param name="contentType">For a route that answers in several types.</param>
    /// <param name="name">Tells several examples apart.</param>
    public static TBuilder WithResponseExample<TBuilder>(
        this TBuilder builder,
        int status,
        object example,
        string contentType = "application/json",
        string? name = null
    )
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ResponseExample(status, contentType, example, name));

    /// <summary>Names a header of the successful response.</summary>
    public static TBuilder WithResponseHeader<TBuilder>(this TBuilder builder, string name, string description)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ResponseHeader(name, description));

    /// <summary>
    /// Names an error of this route's own. Those that any route has are known: a body or query that is wrong, no credential, the
    /// scope that is missing, a fault.
    /// </summary>
    /// <param name="builder">The route.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="code">The stable code.</param>
    /// <param name="message">What it says, for instance.</param>
    public static TBuilder ProducesError<TBuilder>(this TBuilder builder, int status, string code, string message)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RouteError(new HttpError(status, code, message)));
}

/// <summary>A request's body, for the description.</summary>
internal sealed record RequestExample(object Value, string? Name);

/// <summary>A response's body, for the description.</summary>
internal sealed record ResponseExample(int Status, string ContentType, object Value, string? Name);

/// <summary>A header of the successful response.</summary>
internal sealed record ResponseHeader(string Name, string Description);

/// <summary>An error of a route's own.</summary>
internal sealed record RouteError(HttpError Error);
