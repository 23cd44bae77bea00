using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Verbatim.Modules.Identity.Mail;

/// <summary>
/// Where a mail goes or comes from. Only what needs no quoting in a header or in a command of SMTP is one (the dot-atom of RFC 5322
/// §3.2.3, a domain of letters, digits and hyphens): so nothing that is put into either can end it and begin another.
/// </summary>
/// <param name="Address"><c>local@domain</c>, ASCII; a domain of other letters is in its ASCII form.</param>
/// <param name="Name">What a person reads in its place, or null. Any text without control characters.</param>
internal sealed record MailAddress(string Address, string? Name)
{
    // RFC 5321 §4.5.3.1.1 and §4.5.3.1.3.
    private const int MaxLocal = 64;
    private const int MaxLength = 254;
    private const int MaxName = 100;

    private static readonly SearchValues<char> LocalCharacters = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~."
    );
    private static readonly SearchValues<char> DomainCharacters = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."
    );

    public string Domain => Address[(Address.LastIndexOf('@') + 1)..];

    /// <summary>Reads <c>local@domain</c> or <c>Name &lt;local@domain&gt;</c>.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out MailAddress? address)
    {
        address = null;
        if (text is null)
            return false;
        string? name = null;
        if (text.EndsWith('>') && text.LastIndexOf('<') is > 0 and var open)
        {
            name = text[..open].Trim().Trim('"');
            text = text[(open + 1)..^1];
            if (name.Length is 0 or > MaxName || name.Any(char.IsControl))
                return false;
        }

        var at = text.LastIndexOf('@');
        if (at is <= 0 or > MaxLocal || !TryGetAsciiDomain(text[(at + 1)..], out var domain))
            return false;
        var local = text[..at];
        if (!IsDotted(local, LocalCharacters) || local.Length + domain.Length + 1 > MaxLength)
            return false;
        address = new MailAddress($"{local}@{domain}", name);
        return true;
    }

    private static bool TryGetAsciiDomain(string text, out string domain)
    {
        domain = text;
        if (text.Length is 0 or > MaxLength)
            return false;
        if (!System.Text.Ascii.IsValid(text))
        {
            try
            {
                domain = new System.Globalization.IdnMapping { UseStd3AsciiRules = true }.GetAscii(text);
            }
            catch (ArgumentException)
            {
                return false;
            }
        }
        return IsDotted(domain, DomainCharacters);
    }

    private static bool IsDotted(string text, SearchValues<char> characters) =>
        !text.AsSpan().ContainsAnyExcept(characters)
        && !text.StartsWith('.')
        && !text.EndsWith('.')
        && !text.Contains("..", StringComparison.Ordinal);
}
