using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>What a caller may tell a provider that speaks the same wire. All else stays behind: credentials, cookies, what proxies added.</summary>
internal static class ForwardedHeaders
{
    private static readonly string[] Names = ["anthropic-version", "anthropic-beta", "OpenAI-Beta"];

    /// <summary>What is wrong with them, where one is that no provider can be sent; null when all can be.</summary>
    public static HttpError? Refuse(IHeaderDictionary headers)
    {
        foreach (var name in Names)
        {
            if (headers.TryGetValue(name, out var values) && !HeaderText.IsSound(values.ToString()))
                return new HttpError(
                    400,
                    "invalid-header",
                    $"Invalid header '{name}': its value may have printable ASCII characters only."
                );
        }
        return null;
    }

    /// <summary>Passes them on. One that cannot be sent would look like a fault of the provider, so it stays behind too.</summary>
    public static void Copy(IHeaderDictionary? from, HttpRequestHeaders to)
    {
        if (from is null)
            return;
        foreach (var name in Names)
        {
            if (from.TryGetValue(name, out var values) && HeaderText.IsSound(values.ToString()))
                to.TryAddWithoutValidation(name, values.ToArray());
        }
    }
}
