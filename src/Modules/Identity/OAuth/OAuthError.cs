using System.Net.Mime;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.OAuth;

/// <summary>An error as OAuth clients read it (RFC 6749 §5.2).</summary>
/// <param name="Error">The protocol's code.</param>
/// <param name="Description">A sentence for the developer of the client.</param>
public sealed record OAuthErrorResponse(
    [property: JsonPropertyName("error")] string Error,
    [property: JsonPropertyName("error_description")] string Description
);

/// <summary>An error of one of the protocol's endpoints.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">The protocol's code.</param>
/// <param name="Description">
/// A sentence for the developer of the client, in the characters that RFC 6749 §5.2 allows: no quotation mark, no backslash, ASCII only.
/// </param>
internal sealed record OAuthError(int Status, string Code, string Description)
{
    public const string InvalidRequest = "invalid_request";
    public const string InvalidClient = "invalid_client";
    public const string InvalidGrant = "invalid_grant";
    public const string UnauthorizedClient = "unauthorized_client";
    public const string UnsupportedGrantType = "unsupported_grant_type";
    public const string UnsupportedResponseType = "unsupported_response_type";
    public const string InvalidScope = "invalid_scope";
    public const string AccessDenied = "access_denied";
    public const string ServerError = "server_error";
    public const string TemporarilyUnavailable = "temporarily_unavailable";

    /// <summary>OpenID Connect Core 1.0 §3.1.2.6.</summary>
    public const string LoginRequired = "login_required";

    /// <summary>OpenID Connect Core 1.0 §3.1.2.6.</summary>
    public const string ConsentRequired = "consent_required";

    public static OAuthError Malformed(string description) => new(400, InvalidRequest, description);

    public static OAuthError Grant(string description) => new(400, InvalidGrant, description);

    public static OAuthError Scope(string description) => new(400, InvalidScope, description);

    public static OAuthError Client(string description) => new(401, InvalidClient, description);

    /// <summary>The answer: JSON that nobody keeps (RFC 6749 §5.1).</summary>
    public Task WriteAsync(HttpContext http)
    {
        NoStore(http);
        // RFC 6749 §5.2 wants it where the client came by this header, RFC 9110 §15.5.2 wherever the status is 401.
        if (Status == StatusCodes.Status401Unauthorized)
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"verbatim\", charset=\"UTF-8\"";
        http.Response.StatusCode = Status;
        return http.Response.WriteAsJsonAsync(
            new OAuthErrorResponse(Code, Description),
            options: null,
            MediaTypeNames.Application.Json,
            http.RequestAborted
        );
    }

    /// <summary>RFC 6749 §5.1: what has a token in it, and what is asked for one, stays with the two who speak.</summary>
    public static void NoStore(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.Pragma = "no-cache";
    }
}

/// <summary>How the protocol's own endpoints say that something went wrong.</summary>
internal sealed class OAuthDialect : IErrorDialect
{
    public static readonly OAuthDialect Instance = new();

    public string Name => "OAuthError";

    public string ContentType => MediaTypeNames.Application.Json;

    // Also where no route of the protocol matches, as with a form of another content type.
    public PathString Prefix => "/oauth";

    public Task WriteAsync(HttpContext context, HttpError error) => From(error).WriteAsync(context);

    public object Describe(HttpError error) => new OAuthErrorResponse(From(error).Code, From(error).Description);

    private static OAuthError From(HttpError error)
    {
        var code = error switch
        {
            // Declared by a route in the protocol's own word.
            { Code: var own }
                when !own.Contains('-', StringComparison.Ordinal) && own.Contains('_', StringComparison.Ordinal) => own,
            { Status: 401 } => OAuthError.InvalidClient,
            { Status: 429 or 503 } => OAuthError.TemporarilyUnavailable,
            { Status: >= 500 } => OAuthError.ServerError,
            _ => OAuthError.InvalidRequest,
        };
        // RFC 6749 §5.2 knows 400 and 401 for what a client does wrong.
        var status = error.Status == StatusCodes.Status415UnsupportedMediaType ? 400 : error.Status;
        return new OAuthError(status, code, error.Message.Replace('"', '\'').Replace('\\', '/'));
    }
}
