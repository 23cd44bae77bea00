using System.Collections.Frozen;
using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>What is looked at with each request of an API key: where it comes from, and that it was used.</summary>
/// <param name="AllowedAddresses">The only networks that it works from; empty for everywhere.</param>
/// <param name="Use">Where its use is noted.</param>
internal sealed record ApiKeyTerms(AddressRange[] AllowedAddresses, ApiKeyUse Use)
{
    /// <summary>Whether the key works from there. An address that is not known is not allowed.</summary>
    public bool Allow(IPAddress? address) =>
        AllowedAddresses.Length == 0
        || (address is not null && Array.Exists(AllowedAddresses, range => range.Contains(address)));
}

/// <summary>On a request whose key does not work from where it comes: it is known who calls, and they may do nothing.</summary>
internal sealed class AddressDenied
{
    public static readonly AddressDenied Instance = new();

    // Which addresses would do is not said: whoever stole the key would learn where to go.
    public static readonly HttpError Error = new(
        403,
        "identity.address-not-allowed",
        "This API key does not work from the address that the request comes from."
    );

    private AddressDenied() { }

    /// <summary>The same caller without any scope.</summary>
    public static AuthenticateResult Of(Caller caller) =>
        AuthenticateResult.Success(
            new AuthenticationTicket(
                new ClaimsPrincipal(
                    new CallerIdentity(caller with { Scopes = FrozenSet<string>.Empty }, CredentialHandler.Scheme)
                ),
                CredentialHandler.Scheme
            )
        );
}
