using System.Globalization;
using Microsoft.Extensions.Configuration;
using Verbatim.Platform.Configuration;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>The settings under <c>Identity:Logins</c>.</summary>
/// <param name="AccessToken">How long an access token works.</param>
/// <param name="Longest">How long a login lasts at most, however often it is refreshed.</param>
/// <param name="Idle">How long it lasts without being refreshed.</param>
/// <param name="Cookie">How long a login by cookie lasts.</param>
/// <param name="ReuseLeeway">
/// How long a used refresh token may be used again, for clients that lose answers. Zero: a second use ends the login.
/// </param>
internal sealed record LoginSettings(
    TimeSpan AccessToken,
    TimeSpan Longest,
    TimeSpan Idle,
    TimeSpan Cookie,
    TimeSpan ReuseLeeway
)
{
    /// <exception cref="SettingException">A value is not valid.</exception>
    public static LoginSettings Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Identity:Logins");
        return new LoginSettings(
            TimeSpan.FromMinutes(Number(section, "AccessTokenMinutes", 1, 60, 15)),
            TimeSpan.FromDays(Number(section, "MaxDays", 1, 365, 30)),
            TimeSpan.FromDays(Number(section, "IdleDays", 1, 365, 7)),
            TimeSpan.FromHours(Number(section, "CookieHours", 1, 24 * 30, 12)),
            TimeSpan.FromSeconds(Number(section, "RefreshReuseSeconds", 0, 60, 0))
        );
    }

    private static int Number(IConfigurationSection section, string name, int min, int max, int otherwise)
    {
        var text = section[name];
        if (string.IsNullOrEmpty(text))
            return otherwise;
        return
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= min
            && number <= max
            ? number
            : throw new SettingException(
                $"{section.Path}:{name} is '{text}'; valid is a whole number from {min} to {max}."
            );
    }
}
