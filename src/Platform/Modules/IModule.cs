using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Verbatim.Platform.Modules;

/// <summary>
/// A part of the product with a name and an assembly of its own. Host names each module once; endpoints, events, documents,
/// message handlers, commands, start-up steps and SQL are found in its assembly.
/// </summary>
public interface IModule
{
    /// <summary>The module's name in lower case: the prefix of its events and the schema of its tables.</summary>
    string Name { get; }

    /// <summary>Registers what the module's own types need. Discovered types are registered already.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">The host's settings.</param>
    void Register(IServiceCollection services, IConfiguration configuration);
}
