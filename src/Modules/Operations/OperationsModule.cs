using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations;

/// <summary>What keeps background work going: its state, and what a person decides about it.</summary>
public sealed class OperationsModule : IModule
{
    /// <inheritdoc/>
    public string Name => "operations";

    /// <inheritdoc/>
    public void Register(IServiceCollection services, IConfiguration configuration)
    {
        services.AddValidation();
    }
}
