using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Platform.Modules;

namespace Verbatim.Tests.Architecture;

/// <summary>A module with a route that forgot to declare its scope.</summary>
public sealed class SilentModule : IModule
{
    public string Name => "silent";

    public void Register(IServiceCollection services, IConfiguration configuration) { }

    private sealed class GetSilent : IEndpoint
    {
        public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/silent", () => "hush");
    }
}
