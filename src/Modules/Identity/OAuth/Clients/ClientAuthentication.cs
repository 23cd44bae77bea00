using System.Text;
using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Clients;

/// <summary>Finds out which client makes a request to the token endpoint or one of its kind (RFC 6749 §2.3).</summary>
[Singleton]
internal sealed class ClientAuthentication(OAuthClients clients, TimeProvider time)
{
    private const string Basic = "Basic ";
    private const int MaxHeader = 4096;

    // The same for an unknown client, a wrong secret and a wrong method: who asks learns nothing about which clients there are.
    private static readonly OAuthError Failed = OAuthError.Client("The client is unknown or did not prove itself.");

    private static readonly OAuthError Twice = OAuthError.Malformed("A client proves itself in one way only.");

    /// <summary>The client, or the error.</summary>
    public async Task<(KnownClient? Client, OAuthError? Error)> AuthenticateAsync(
        HttpContext http,
        OAuthParameters form,
        CancellationToken cancellationToken
    )
    {
        var (id, secret, method, error) = Read(http.Request, form);
        if (error is not null)
            return (null, error);
        if (!Guid.TryParseExact(id, "D", out var clientId))
            return (null, Failed);
        var client = await clients.FindAsync(clientId, cancellationToken);
        if (client is not { IsActive: true } || client.Settings.AuthenticationMethod != method)
            return (null, Failed);
        if (client.Settings.IsConfidential && !client.HasSecret(secret!, time.GetUtcNow()))
            return (null, Failed);
        return (client, null);
    }

    private static (string? Id, string? Secret, string? Method, OAuthError? Error) Read(
        HttpRequest request,
        OAuthParameters form
    )
    {
        var authorization = request.Headers.Authorization;
        var givenId = form["client_id"];
        var givenSecret = form["client_secret"];
        if (form["client_assertion"] is not null || form["client_assertion_type"] is not null)
            return (null, null, null, Failed);
        if (authorization.Count > 1)
            return (null, null, null, Twice);
        if (authorization.Count == 0)
        {
            if (givenId is null)
                return (null, null, null, Failed);
            return (givenId, givenSecret, givenSecret is null ? OAuthWords.None : OAuthWords.ClientSecretPost, null);
        }
        if (givenSecret is not null)
            return (null, null, null, Twice);
        if (!TryReadBasic(authorization[0]!, out var id, out var secret))
            return (null, null, null, Failed);
        if (givenId is not null && givenId != id)
            return (null, null, null, Twice);
        return (id, secret, OAuthWords.ClientSecretBasic, null);
    }

    // RFC 6749 §2.3.1: both parts are form-encoded before they are put together, so a colon in them is no separator.
    private static bool TryReadBasic(string header, out string id, out string secret)
    {
        id = secret = "";
        if (header.Length > MaxHeader || !header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
            return false;
        var encoded = header.AsSpan(Basic.Length).Trim();
        var bytes = new byte[encoded.Length];
        if (!Convert.TryFromBase64Chars(encoded, bytes, out var length))
            return false;
        var text = Encoding.UTF8.GetString(bytes.AsSpan(0, length));
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
            return false;
        id = Decode(text[..colon]);
        secret = Decode(text[(colon + 1)..]);
        return id.Length > 0 && secret.Length > 0;
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
