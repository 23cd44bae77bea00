using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>Logging in with a browser.</summary>
internal sealed class LoginPages(FormTokens tokens, LoginFlow flow) : IEndpoint
{
    private const string ApplicationPrefix = "/oauth/";

    public string Prefix => "";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage(LoginPage.Path, http => Task.FromResult<IResult>(Show(http)));
        Post(routes, LoginPage.Path, LogInAsync);
        Post(routes, LoginPage.FactorPath, ProveFactorAsync);
        Post(routes, LoginPage.OrganizationPath, ChooseAsync);
    }

    private static void Post(
        IEndpointRouteBuilder routes,
        string path,
        Func<HttpContext, IFormCollection, LocalPath, Task<IResult>> handle
    ) =>
        routes.MapForm(
            path,
            AddressLimit.Logins,
            async http =>
            {
                var form = await ReadFormAsync(http);
                return await handle(http, form, LocalPath.OrRoot(form[LoginPage.ReturnField]));
            }
        );

    /// <summary>The form of a request; an empty one where it has none.</summary>
    internal static async Task<IFormCollection> ReadFormAsync(HttpContext http)
    {
        // Pages send nothing else; the other type of forms is for files.
        if (
            http.Request.ContentType?.StartsWith(
                "application/x-www-form-urlencoded",
                StringComparison.OrdinalIgnoreCase
            )
            is not true
        )
            return FormCollection.Empty;
        try
        {
            return await http.Request.ReadFormAsync(http.RequestAborted);
        }
        catch (InvalidDataException)
        {
            // Too many fields, or too long ones.
            return FormCollection.Empty;
        }
    }

    private PageResult Show(HttpContext http) =>
        LoginPage.Password(tokens.Issue(http), LocalPath.OrRoot(http.Request.Query["returnTo"]));

    private async Task<IResult> LogInAsync(HttpContext http, IFormCollection form, LocalPath returnTo)
    {
        var email = Text(form, LoginPage.EmailField, 254);
        if (!tokens.IsValid(http, form))
            return Forged(http, returnTo, email ?? "");
        var password = Text(form, LoginPage.PasswordField, 1000);
        if (email is null || password is null)
            return LoginPage.Of(new LoginStep.Wrong(), tokens.Issue(http), returnTo, email ?? "", http);
        try
        {
            var wish = new LoginWish(OrganizationId: null, ByCookie: true, MayChoose: true);
            var step = await flow.BeginAsync(http, email, password, wish, http.RequestAborted);
            return Next(http, step, returnTo, email);
        }
        catch (BusyException)
        {
            http.Response.Headers.RetryAfter = "2";
            return LoginPage.Password(
                tokens.Issue(http),
                returnTo,
                email,
                LoginPage.Busy,
                status: StatusCodes.Status503ServiceUnavailable
            );
        }
    }

    private async Task<IResult> ProveFactorAsync(HttpContext http, IFormCollection form, LocalPath returnTo)
    {
        if (!tokens.IsValid(http, form))
            return Forged(http, returnTo, "");
        var challenge = Text(form, LoginPage.ChallengeField, 2000) ?? "";
        var code = Text(form, LoginPage.CodeField, 40) ?? "";
        var step = await flow.ProveFactorAsync(http, challenge, code, mayChoose: true, http.RequestAborted);
        return step switch
        {
            LoginStep.Wrong => LoginPage.Factor(
                tokens.Issue(http),
                returnTo,
                challenge,
                LoginPage.WrongCode,
                StatusCodes.Status401Unauthorized
            ),
            LoginStep.TooMany { RetryAfter: var wait } => LoginPage.Factor(
                tokens.Issue(http),
                returnTo,
                challenge,
                LoginPage.TooMany(http, wait),
                StatusCodes.Status429TooManyRequests
            ),
            _ => Next(http, step, returnTo, ""),
        };
    }

    private async Task<IResult> ChooseAsync(HttpContext http, IFormCollection form, LocalPath returnTo)
    {
        if (!tokens.IsValid(http, form) || !Guid.TryParse(form[LoginPage.OrganizationField], out var organization))
            return Forged(http, returnTo, "");
        var challenge = Text(form, LoginPage.ChallengeField, 2000) ?? "";
        return Next(http, await flow.ChooseAsync(http, challenge, organization, http.RequestAborted), returnTo, "");
    }

    private IResult Next(HttpContext http, LoginStep step, LocalPath returnTo, string email)
    {
        if (step is not LoginStep.Started started)
            return LoginPage.Of(step, tokens.Issue(http), returnTo, email, http);
        if (started.Login.MustSetUpSecondFactor)
            return new SeeOther(SecondFactorPages.Path);
        if (started.MustChangePassword)
            return new SeeOther(returnTo.AsReturnOf(PasswordPage.Path));
        // From there an application's own address may follow, to which the policy of this page would not let its form lead.
        return returnTo.Value.StartsWith(ApplicationPrefix, StringComparison.Ordinal)
            ? new PageResult("You are logged in", Html.Of($"<p><a href=\"{returnTo.Value}\">Go on</a></p>"))
            {
                Refresh = returnTo,
            }
            : new SeeOther(returnTo == LocalPath.Root ? AccountPage.Path : returnTo.Value);
    }

    private PageResult Forged(HttpContext http, LocalPath returnTo, string email) =>
        LoginPage.Password(
            tokens.Issue(http),
            returnTo,
            email,
            LoginPage.Expired,
            status: StatusCodes.Status400BadRequest
        );

    internal static string? Text(IFormCollection form, string field, int maxLength) =>
        form[field] is [{ Length: > 0 } text] && text.Length <= maxLength ? text : null;
}
