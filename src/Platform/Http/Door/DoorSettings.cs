using System.Globalization;
using System.Net;
using Microsoft.Extensions.Configuration;
using Verbatim.Platform.Configuration;

namespace Verbatim.Platform.Http.Door;

/// <summary>What <c>Http</c> settings say about requests before any route sees them.</summary>
/// <param name="TrustedProxies">Networks whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are believed; empty for none.</param>
/// <param name="CorsOrigins">Origins whose pages may call the API; empty for none.</param>
/// <param name="CorsCredentials">Whether these may send cookies along.</param>
/// <param name="HstsSeconds">How long browsers are told to come by https only; 0 for not at all.</param>
/// <param name="MaxRequestBytes">The largest body of a request that is not a model call.</param>
internal sealed record DoorSettings(
    IReadOnlyList<IPNetwork> TrustedProxies,
    IReadOnlyList<string> CorsOrigins,
    bool CorsCredentials,
    int HstsSeconds,
    int MaxRequestBytes
)
{
    public const string AnyOrigin = "*";

    private const string Proxies = "Http:TrustedProxies";
    private const string Origins = "Http:Cors:Origins";
    private const string Credentials = "Http:Cors:AllowCredentials";
    private const string Hsts = "Http:HstsSeconds";
    private const string MaxBytes = "Http:MaxRequestBytes";

    /// <exception cref="SettingException">A value is not valid.</exception>
    public static DoorSettings Read(IConfiguration configuration)
    {
        var origins = List(configuration, Origins).Select(OriginOf).ToList();
        var credentials = configuration[Credentials] switch
        {
            null or "" => false,
            var text when bool.TryParse(text, out var yes) => yes,
            var text => throw new SettingException($"{Credentials} is '{text}'; valid is true or false."),
        };
        if (credentials && origins.Contains(AnyOrigin, StringComparer.Ordinal))
            throw new SettingException(
                $"{Origins} is '*' and {Credentials} is true: any page could act for whoever is logged in; valid is a list of origins."
            );
        return new DoorSettings(
            [.. List(configuration, Proxies).Select(NetworkOf)],
            origins,
            credentials,
            Number(configuration, Hsts, 0, 63_072_000, 0),
            Number(configuration, MaxBytes, 1024, 268_435_456, 1_048_576)
        );
    }

    private static IEnumerable<string> List(IConfiguration configuration, string name) =>
        configuration
            .GetSection(name)
            .GetChildren()
            .Select(c => c.Value ?? "")
            .Concat((configuration[name] ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))
            .Where(v => v.Length > 0);

    private static IPNetwork NetworkOf(string text)
    {
        if (IPAddress.TryParse(text, out var address))
            return new IPNetwork(address, address.GetAddressBytes().Length * 8);
        return IPNetwork.TryParse(text, out var network)
            ? network
            : throw new SettingException(
                $"{Proxies} has '{text}'; valid is an address or a network, such as '10.0.0.7' or '10.0.0.0/8'."
            );
    }

    private static string OriginOf(string text)
    {
        if (text == AnyOrigin)
            return text;
        return
            Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && uri.Scheme is "http" or "https"
            && uri.GetLeftPart(UriPartial.Authority) == text
            ? text
            : throw new SettingException(
                $"{Origins} has '{text}'; valid is an origin without a path, such as 'https://app.example.org'."
            );
    }

    private static int Number(IConfiguration configuration, string name, int min, int max, int otherwise)
    {
        if (configuration[name] is not { Length: > 0 } text)
            return otherwise;
        return
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= min
            && number <= max
            ? number
            : throw new SettingException($"{name} is '{text}'; valid is a whole number from {min} to {max}.");
    }
}
