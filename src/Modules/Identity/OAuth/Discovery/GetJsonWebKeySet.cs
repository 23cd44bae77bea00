using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Discovery;

/// <summary>The keys that verify this server's tokens (RFC 7517 §5).</summary>
/// <param name="Keys">The one that signs, those that have signed tokens which still live, and the next.</param>
public sealed record JsonWebKeySetResponse([property: JsonPropertyName("keys")] IReadOnlyList<JsonWebKeyResponse> Keys);

/// <summary>A public key (RFC 7517 §4).</summary>
/// <param name="Curve">The curve, <c>P-256</c>.</param>
/// <param name="KeyType">Always <c>EC</c>.</param>
/// <param name="X">The point's first coordinate, in base64url.</param>
/// <param name="Y">The point's second coordinate, in base64url.</param>
/// <param name="Use">Always <c>sig</c>.</param>
/// <param name="Algorithm">Always <c>ES256</c>.</param>
/// <param name="KeyId">What a token names in its header.</param>
public sealed record JsonWebKeyResponse(
    [property: JsonPropertyName("crv")] string Curve,
    [property: JsonPropertyName("kty")] string KeyType,
    [property: JsonPropertyName("x")] string X,
    [property: JsonPropertyName("y")] string Y,
    [property: JsonPropertyName("use")] string Use,
    [property: JsonPropertyName("alg")] string Algorithm,
    [property: JsonPropertyName("kid")] string KeyId
);

internal sealed class GetJsonWebKeySet : IEndpoint
{
    public string Prefix => "/oauth";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/jwks", Handle)
            .AllowAnyone()
            .WithTags("OAuth")
            .WithSummary("Read the keys that verify tokens")
            .WithDescription(
                "A new key is here before it signs, and an old one until its tokens have ended. Read it again when a token names a key that you do not know."
            )
            .Produces<JsonWebKeySetResponse>()
            .WithResponseExample(
                StatusCodes.Status200OK,
                new JsonWebKeySetResponse([
                    new JsonWebKeyResponse(
                        "P-256",
                        "EC",
                        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                        "sig",
                        "ES256",
                        "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"
                    ),
                ])
            );

    private static FileContentHttpResult Handle(SigningKeys keys, HttpContext http)
    {
        http.Response.Headers.CacheControl = PublicDocument.CacheControl;
        return TypedResults.Bytes(keys.Public.ToUtf8Json(), "application/json");
    }
}
