using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Logins.History;

/// <summary>Logins as they were when all there was to them was one access token of 15 minutes.</summary>
/// <param name="UserId">The person.</param>
/// <param name="TokenId">The token's id, in which is when it was made (UUIDv7).</param>
/// <param name="Address">The client's IP address.</param>
/// <param name="UserAgent">What the client calls itself.</param>
[EventType("identity.login-succeeded")]
internal sealed record LoginSucceededV1(
    Guid UserId,
    Guid TokenId,
    [property: Personal] string Address,
    [property: Personal] string? UserAgent
) : IUpcast<LoginSucceeded>
{
    public LoginSucceeded Upcast()
    {
        var startedAt = TimeOf(TokenId);
        return new LoginSucceeded(
            UserId,
            LoginMethod.Password,
            ["pwd"],
            ClientId: null,
            Scopes: null,
            Address,
            UserAgent,
            startedAt,
            startedAt + TimeSpan.FromMinutes(15)
        );
    }

    // RFC 9562 §5.7: the first 48 bits of a UUIDv7 are milliseconds since 1970.
    private static DateTimeOffset TimeOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        var milliseconds = 0L;
        foreach (var b in bytes[..6])
            milliseconds = (milliseconds << 8) | b;
        return DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
    }
}
