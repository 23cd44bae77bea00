namespace Verbatim.Modules.Identity.Pages;

/// <summary>Parts of forms, so that every field has its label and every error is read out.</summary>
internal static class Forms
{
    /// <summary>A sentence that screen readers say at once, or nothing.</summary>
    public static Html Error(string? sentence) =>
        sentence is null ? Html.Empty : Html.Of($"<p class=\"error\" role=\"alert\" id=\"error\">{sentence}</p>");

    /// <summary>A sentence about what was done, or nothing.</summary>
    public static Html Note(string? sentence) =>
        sentence is null ? Html.Empty : Html.Of($"<p class=\"note\" role=\"status\">{sentence}</p>");

    /// <summary>One required field with its label.</summary>
    /// <param name="label">What the person is asked for.</param>
    /// <param name="name">The field's name in the form.</param>
    /// <param name="type">The input's type: <c>text</c>, <c>email</c> or <c>password</c>.</param>
    /// <param name="autocomplete">What password managers go by (HTML, autofill detail tokens).</param>
    /// <param name="value">What it begins with; never a password.</param>
    /// <param name="hint">A sentence under it.</param>
    /// <param name="maxLength">The most characters.</param>
    /// <param name="isFirst">Whether the page begins there.</param>
    /// <param name="inputMode">Which keyboard a telephone shows.</param>
    public static Html Field(
        string label,
        string name,
        string type,
        string autocomplete,
        string value = "",
        string? hint = null,
        int maxLength = 200,
        bool isFirst = false,
        string inputMode = "text"
    )
    {
        var focus = isFirst ? Html.Of($" autofocus") : Html.Empty;
        var described = hint is null ? Html.Empty : Html.Of($" aria-describedby=\"{name}-hint\"");
        var hintText = hint is null ? Html.Empty : Html.Of($"<p class=\"hint\" id=\"{name}-hint\">{hint}</p>");
        return Html.Of(
            $"""
            <div class="field">
            <label for="{name}">{label}</label>
            <input id="{name}" name="{name}" type="{type}" autocomplete="{autocomplete}" inputmode="{inputMode}" value="{value}" maxlength="{maxLength}" required autocapitalize="none" spellcheck="false"{described}{focus}>
            {hintText}
            </div>
            """
        );
    }
}
