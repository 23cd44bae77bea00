namespace Verbatim.Modules.Identity.Pages;

internal static class ResetPages
{
    public const string AskPath = "/password-reset";
}
