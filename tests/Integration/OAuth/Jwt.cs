using System.Buffers.Text;
using System.Text.Json.Nodes;

namespace Verbatim.Tests.Integration.OAuth;

/// <summary>Looks into a token without verifying it.</summary>
internal static class Jwt
{
    public static JsonObject HeaderOf(string token) => PartOf(token, 0);

    public static JsonObject ClaimsOf(string token) => PartOf(token, 1);

    private static JsonObject PartOf(string token, int index) =>
        JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[index]))!.AsObject();
}
