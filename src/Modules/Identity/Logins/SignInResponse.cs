namespace Verbatim.Modules.Identity.Logins;

/// <summary>A login that has started.</summary>
/// <param name="LoginId">The login; <c>GET /api/logins</c> lists it.</param>
/// <param name="OrganizationId">The organization that it acts in.</param>
/// <param name="AccessToken">A JWT (RFC 9068) for <c>Authorization: Bearer</c>; null for a login by cookie.</param>
/// <param name="TokenType"><c>Bearer</c>, or <c>Cookie</c>.</param>
/// <param name="ExpiresIn">Seconds until the access token, or the login by cookie, ends.</param>
/// <param name="RefreshToken">For <c>POST /api/auth/refresh</c>, once; null for a login by cookie.</param>
/// <param name="AntiforgeryToken">For <c>x-csrf-token</c>, with every request that changes something; only for a login by cookie.</param>
/// <param name="MustChangePassword">
/// True while the password is the one-time one: change it with <c>POST /api/auth/password</c>. The login goes on; until then it can do nothing else.
/// </param>
/// <param name="MustSetUpSecondFactor">
/// True when the organization asks for a second factor and there is none: set one up with <c>POST /api/auth/second-factor</c>, the one thing that
/// this login can do, and log in again.
/// </param>
public sealed record SignInResponse(
    Guid LoginId,
    Guid OrganizationId,
    string? AccessToken,
    string TokenType,
    int ExpiresIn,
    string? RefreshToken,
    string? AntiforgeryToken,
    bool MustChangePassword,
    bool MustSetUpSecondFactor
)
{
    internal static readonly SignInResponse Example = new(
        Guid.Parse("0198c8b0-77aa-7a51-9c3e-2b64d218e07b"),
        Guid.Parse("0198c7ee-90b4-7f21-b6d8-5c0e3a9f1d47"),
        "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk4YzdmMCJ9.c2lnbmF0dXJl",
        "Bearer",
        900,
        "vr_3kQmD1x0aVnK5rJc7LwYb2Gf9HsTePu4RiXo6MqE8Zt",
        AntiforgeryToken: null,
        MustChangePassword: false,
        MustSetUpSecondFactor: false
    );

    internal static SignInResponse From(StartedLogin login, Guid tenantId, bool mustChangePassword) =>
        new(
            login.Id,
            tenantId,
            login.AccessToken,
            login.AccessToken is null ? "Cookie" : "Bearer",
            (int)login.ExpiresIn.TotalSeconds,
            login.RefreshToken,
            login.AntiforgeryToken,
            mustChangePassword,
            login.MustSetUpSecondFactor
        );
}
