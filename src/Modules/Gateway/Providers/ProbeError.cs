using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>What is wrong with a provider. Nothing of what it answered is in it: that may repeat the credential.</summary>
/// <param name="Code">Stable: <c>wrong-credential</c>, <c>unreachable</c> …</param>
/// <param name="Message">One sentence or two, which say what to do.</param>
public sealed record ProbeError(
    [property: Description("Stable, for programs.")] string Code,
    [property: Description("What is wrong and what to do about it.")] string Message
)
{
    internal static readonly ProbeError WrongCredential = new(
        "wrong-credential",
        "The provider refuses the credential. Give the key of an account that may use its API as 'apiKey'."
    );

    internal static readonly ProbeError NotAllowed = new(
        "not-allowed",
        "The provider knows the credential and forbids the call. Give its key the permission, or another key."
    );

    internal static readonly ProbeError UnknownHost = new(
        "unknown-host",
        "No server has this name. Check the spelling of 'baseUrl', and this server's DNS."
    );

    internal static readonly ProbeError Unreachable = new(
        "unreachable",
        "Nothing accepts connections there. Check host and port of 'baseUrl', that the provider runs, and firewalls between."
    );

    internal static readonly ProbeError TimedOut = new(
        "timed-out",
        "No answer came in time. Check 'baseUrl', firewalls between, and whether the provider is overloaded."
    );

    internal static readonly ProbeError Tls = new(
        "tls-failed",
        "No secure connection: its certificate is not trusted or not for this name, or it does not speak TLS there. Check 'baseUrl' (http or https) and the certificate."
    );

    internal static readonly ProbeError WrongPath = new(
        "wrong-path",
        "There is a server, but no such API at this path. 'baseUrl' goes up to and with the version, as in https://api.openai.com/v1; for Azure it is the resource's address alone."
    );

    internal static readonly ProbeError NotAnApi = new(
        "not-an-api",
        "What answers is not an API of this kind. Check 'baseUrl' and 'kind'."
    );

    internal static readonly ProbeError UnknownModel = new(
        "unknown-model",
        "The provider does not have this model. Give one of those that it lists; for Azure the deployment's name."
    );

    internal static readonly ProbeError Refused = new(
        "request-refused",
        "The provider refuses to answer with one token of this model. Try a model that chats."
    );

    internal static readonly ProbeError RateLimited = new(
        "rate-limited",
        "The provider takes the credential but no call now: a limit or the account's credit is used up. Try again later, or look at the account."
    );

    internal static readonly ProbeError Failed = new(
        "provider-failed",
        "The provider is there and fails itself. Try again later; its status page may say more."
    );

    internal static readonly ProbeError Unexpected = new(
        "unexpected-answer",
        "The provider answers with a status that says nothing about the settings. Check 'baseUrl' and 'kind'."
    );

    internal static readonly ProbeError Private = new(
        "address-not-allowed",
        "It is on this machine or in a private network, and 'Gateway:AllowPrivateAddresses' is off."
    );

    /// <summary>What a status says that no route has of its own.</summary>
    internal static ProbeError Of(HttpStatusCode status) =>
        (int)status switch
        {
            401 => WrongCredential,
            403 => NotAllowed,
            402 or 429 => RateLimited,
            // Somebody else wants to be asked instead: a page for people, as a rule.
            404 or (>= 300 and < 400) => WrongPath,
            >= 500 => Failed,
            _ => Unexpected,
        };

    /// <summary>Why no answer came.</summary>
    internal static ProbeError Of(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case AddressNotAllowedException:
                    return Private;
                case AuthenticationException:
                    return Tls;
                case SocketException
                {
                    SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData
                }:
                    return UnknownHost;
                case SocketException { SocketErrorCode: SocketError.TimedOut }:
                    return TimedOut;
                default:
                    break;
            }
        }
        return exception is HttpRequestException http
            ? http.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => UnknownHost,
                HttpRequestError.SecureConnectionError => Tls,
                HttpRequestError.ResponseEnded or HttpRequestError.InvalidResponse => NotAnApi,
                _ => Unreachable,
            }
            : Unreachable;
    }
}
