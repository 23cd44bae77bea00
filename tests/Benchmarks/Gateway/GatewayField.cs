namespace Verbatim.Tests.Benchmarks.Gateway;

/// <summary>Verbatim and what it is measured beside, all in front of the same fake provider, as processes of their own.</summary>
internal sealed class GatewayField : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<Server> _servers = [];
    private VerbatimServer? _verbatim;

    private GatewayField() { }

    public VerbatimServer Verbatim => _verbatim!;

    /// <summary>The provider without a gateway, nginx, Portkey, Verbatim.</summary>
    public IReadOnlyList<Target> Targets { get; private set; } = [];

    public Target Direct => Targets[0];

    public Target Nginx => Targets[1];

    public Target Portkey => Targets[2];

    public static async Task<GatewayField> StartAsync()
    {
        var field = new GatewayField();
        try
        {
            await field.StartAllAsync();
            return field;
        }
        catch
        {
            await field.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_verbatim is not null)
            await _verbatim.DisposeAsync();
        _servers.Reverse();
        foreach (var server in _servers)
            await server.DisposeAsync();
        _folder.Dispose();
    }

    private async Task StartAllAsync()
    {
        var (upstream, nginx, portkey) = (Server.FreePort(), Server.FreePort(), Server.FreePort());
        _servers.Add(await Peers.StartUpstreamAsync(_folder.Path, upstream));
        _servers.Add(await Peers.StartNginxAsync(_folder.Path, nginx, upstream));
        _servers.Add(await Peers.StartPortkeyAsync(_folder.Path, portkey));
        _verbatim = await VerbatimServer.StartAsync(_folder.Home, Path.Combine(_folder.Path, "verbatim.log"), upstream);
        Targets =
        [
            new("the provider itself", Chat(upstream), new Dictionary<string, string>(StringComparer.Ordinal)),
            new("nginx, keep-alive", Chat(nginx), new Dictionary<string, string>(StringComparer.Ordinal)),
            new(
                "Portkey " + Peers.PortkeyVersion,
                Chat(portkey),
                new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["x-portkey-provider"] = "openai",
                    ["x-portkey-custom-host"] = $"http://127.0.0.1:{upstream}/v1",
                    ["Authorization"] = "Bearer sk-test",
                }
            ),
            _verbatim.Target("Verbatim, authenticated, two durable commits a call", "v1/chat/completions"),
        ];
    }

    private static Uri Chat(int port) => new($"http://127.0.0.1:{port}/v1/chat/completions");
}
