using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// This installation's name in tokens, and the address that its endpoints are advertised under (RFC 8414 §2): <c>Identity:Issuer</c>, or
/// the first address that this server listens on. Never what a request says in <c>Host</c>, which its sender chooses.
/// </summary>
internal sealed class Issuer(IConfiguration configuration, IServer server) : IStartupStep
{
    private const string Setting = "Identity:Issuer";

    private readonly string? _given = configuration[Setting] is { Length: > 0 } given ? given : null;
    private string? _own;

    /// <summary>Without a slash at the end.</summary>
    public string Value => _given ?? (_own ??= FindOwn());

    /// <summary>
    /// The one <c>iss</c> to insist on, or null where none was set: then each instance has an address of its own, and a token of any of them
    /// is known by its key, which they share.
    /// </summary>
    public string? Required => _given;

    /// <summary>The address of an endpoint.</summary>
    /// <param name="path">With a slash at its beginning.</param>
    public string Locate(string path) => Value + path;

    public Task RunAsync(CancellationToken cancellationToken)
    {
        if (_given is not null && !IsValid(_given))
            throw new SettingException(
                $"{Setting} is '{_given}'; valid is an https address without a path, like https://ai.example.com (or http on this machine)."
            );
        return Task.CompletedTask;
    }

    // RFC 8414 §2: https, no query, no fragment. OpenID Connect Discovery 1.0 §7.1 wants TLS; a loopback address never leaves the machine.
    internal static bool IsValid(string issuer) =>
        Uri.TryCreate(issuer, UriKind.Absolute, out var address)
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
        && address.UserInfo.Length == 0
        && address.GetLeftPart(UriPartial.Authority) == issuer;

    private string FindOwn()
    {
        var bound =
            server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
            ?? throw new InvalidOperationException("The server listens nowhere yet, so it has no address.");
        return OfBound(bound);
    }

    // What listens on every address is reached by none of that name.
    internal static string OfBound(string bound)
    {
        var address = new Uri(
            bound
                .Replace("://*", "://localhost", StringComparison.Ordinal)
                .Replace("://+", "://localhost", StringComparison.Ordinal)
                .Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal)
                .Replace("://[::]", "://localhost", StringComparison.Ordinal)
        );
        return address.GetLeftPart(UriPartial.Authority);
    }
}
