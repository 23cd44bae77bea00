namespace Verbatim.Modules.Identity.Logins;

/// <summary>A login of a person.</summary>
/// <param name="Id">The login.</param>
/// <param name="UserId">The person.</param>
/// <param name="Method">How they proved who they are.</param>
/// <param name="Factors">The proofs, as <c>amr</c> (RFC 8176) names them: <c>pwd</c>, <c>otp</c>.</param>
/// <param name="ClientId">The OAuth client that acts for them; null for Verbatim's own.</param>
/// <param name="Address">The IP address that it was started from.</param>
/// <param name="UserAgent">What the client called itself.</param>
/// <param name="StartedAt">When.</param>
/// <param name="RefreshedAt">When its access token was last renewed.</param>
/// <param name="EndsAt">When it ends by itself.</param>
/// <param name="EndedAt">When it was ended before that; null while it was not.</param>
/// <param name="EndReason">Why it was.</param>
/// <param name="IsActive">Whether it goes on.</param>
/// <param name="IsThis">Whether the request belongs to it.</param>
public sealed record LoginResponse(
    Guid Id,
    Guid UserId,
    LoginMethod Method,
    IReadOnlyList<string> Factors,
    string? ClientId,
    string Address,
    string? UserAgent,
    DateTimeOffset StartedAt,
    DateTimeOffset? RefreshedAt,
    DateTimeOffset EndsAt,
    DateTimeOffset? EndedAt,
    LoginEndReason? EndReason,
    bool IsActive,
    bool IsThis
)
{
    internal static readonly LoginResponse Example = new(
        SignInResponse.Example.LoginId,
        Guid.Parse("0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35"),
        LoginMethod.Password,
        ["pwd", "otp"],
        ClientId: null,
        "192.0.2.17",
        "Mozilla/5.0 (X11; Linux x86_64)",
        new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero),
        new DateTimeOffset(2026, 3, 2, 9, 14, 0, TimeSpan.Zero),
        new DateTimeOffset(2026, 4, 1, 9, 0, 0, TimeSpan.Zero),
        EndedAt: null,
        EndReason: null,
        IsActive: true,
        IsThis: true
    );

    internal static LoginResponse From(Guid id, Login login, Guid? current, DateTimeOffset now) =>
        new(
            id,
            login.UserId,
            login.Method,
            login.Factors,
            login.ClientId,
            login.Address,
            login.UserAgent,
            login.StartedAt,
            login.RefreshedAt,
            login.EndsAt,
            login.EndedAt,
            login.EndReason,
            login.IsActive(now),
            id == current
        );
}
