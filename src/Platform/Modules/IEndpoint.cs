using Microsoft.AspNetCore.Routing;

namespace Verbatim.Platform.Modules;

/// <summary>One verb of a feature over HTTP: a class in a file of its own, discovered and mapped at start-up.</summary>
public interface IEndpoint
{
    /// <summary>The path that the route hangs under: <c>/api</c> for the native API, <c>/v1</c> for the model wires.</summary>
    string Prefix => "/api";

    /// <summary>
    /// Maps the route, and declares its scope with <c>RequireScope</c> or <c>AllowAnyone</c>: Host refuses to start with a route
    /// that declares neither.
    /// </summary>
    void Map(IEndpointRouteBuilder routes);
}
