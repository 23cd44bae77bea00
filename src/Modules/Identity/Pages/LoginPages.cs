using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>Logging in with a browser.</summary>
internal sealed class LoginPages(FormTokens tokens, LoginVisits visits, LoginFlow flow) : IEndpoint
{
    public string Prefix => "";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage(LoginPage.Path, ShowAsync);
        Post(routes, LoginPage.Path, LogInAsync);
        Post(routes, LoginPage.FactorPath, ProveFactorAsync);
        Post(routes, LoginPage.OrganizationPath, ChooseAsync);
    }

    private static void Post(
        IEndpointRouteBuilder routes,
        string path,
        Func<HttpContext, IFormCollection, Task<IResult>> handle
    ) => routes.MapForm(path, AddressLimit.Logins, async http => await handle(http, await ReadFormAsync(http)));

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

    private async Task<IResult> ShowAsync(HttpContext http)
    {
        var query = http.Request.Query;
        return LoginPage.Password(
            await visits.OfAsync(
                http,
                LocalPath.OrRoot(query[LoginPage.ReturnField]),
                query[LoginPage.InField],
                email: null
            )
        );
    }

    private async Task<IResult> LogInAsync(HttpContext http, IFormCollection form)
    {
        var email = Text(form, LoginPage.EmailField, 254);
        if (!tokens.IsValid(http, form))
            return await ForgedAsync(http, form);
        var password = Text(form, LoginPage.PasswordField, 1000);
        if (email is null || password is null)
            return LoginPage.Of(new LoginStep.Wrong(), await VisitAsync(http, form), http);
        try
        {
            var wish = new LoginWish(OrganizationId: null, ByCookie: true, MayChoose: true);
            return await NextAsync(http, form, await flow.BeginAsync(http, email, password, wish, http.RequestAborted));
        }
        catch (BusyException)
        {
            http.Response.Headers.RetryAfter = "2";
            return LoginPage.Password(
                await VisitAsync(http, form),
                LoginPage.Busy,
                status: StatusCodes.Status503ServiceUnavailable
            );
        }
    }

    private async Task<IResult> ProveFactorAsync(HttpContext http, IFormCollection form)
    {
        if (!tokens.IsValid(http, form))
            return await ForgedAsync(http, form);
        var challenge = Text(form, LoginPage.ChallengeField, 2000) ?? "";
        var code = Text(form, LoginPage.CodeField, 40) ?? "";
        var step = await flow.ProveFactorAsync(http, challenge, code, mayChoose: true, http.RequestAborted);
        return step switch
        {
            LoginStep.Wrong => LoginPage.Factor(
                await VisitAsync(http, form),
                challenge,
                LoginPage.WrongCode,
                StatusCodes.Status401Unauthorized
            ),
            LoginStep.TooMany { RetryAfter: var wait } => LoginPage.Factor(
                await VisitAsync(http, form),
                challenge,
                LoginPage.TooMany(http, wait),
                StatusCodes.Status429TooManyRequests
            ),
            _ => await NextAsync(http, form, step),
        };
    }

    private async Task<IResult> ChooseAsync(HttpContext http, IFormCollection form)
    {
        if (!tokens.IsValid(http, form) || !Guid.TryParse(form[LoginPage.OrganizationField], out var organization))
            return await ForgedAsync(http, form);
        var challenge = Text(form, LoginPage.ChallengeField, 2000) ?? "";
        return await NextAsync(http, form, await flow.ChooseAsync(http, challenge, organization, http.RequestAborted));
    }

    private async Task<IResult> NextAsync(HttpContext http, IFormCollection form, LoginStep step)
    {
        if (step is not LoginStep.Started started)
            return LoginPage.Of(step, await VisitAsync(http, form), http);
        var returnTo = ReturnOf(form);
        if (started.Login.MustSetUpSecondFactor)
            returnTo = LocalPath.OrRoot(SecondFactorPages.Path);
        return started.MustChangePassword
            ? new SeeOther(returnTo.AsReturnOf(PasswordPage.Path))
            : Onward.To(returnTo, "You are logged in");
    }

    private async Task<PageResult> ForgedAsync(HttpContext http, IFormCollection form) =>
        LoginPage.Password(await VisitAsync(http, form), LoginPage.Expired, status: StatusCodes.Status400BadRequest);

    private Task<LoginVisit> VisitAsync(HttpContext http, IFormCollection form) =>
        visits.OfAsync(http, ReturnOf(form), form[LoginPage.InField], Text(form, LoginPage.EmailField, 254) ?? "");

    private static LocalPath ReturnOf(IFormCollection form) => LocalPath.OrRoot(form[LoginPage.ReturnField]);

    internal static string? Text(IFormCollection form, string field, int maxLength) =>
        form[field] is [{ Length: > 0 } text] && text.Length <= maxLength ? text : null;
}
