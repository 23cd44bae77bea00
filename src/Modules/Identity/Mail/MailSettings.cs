using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;
using Verbatim.Platform.Configuration;

namespace Verbatim.Modules.Identity.Mail;

/// <summary>How the way to the mail server is encrypted.</summary>
internal enum MailTls
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>After <c>STARTTLS</c> (RFC 3207); a server that does not offer it gets nothing.</summary>
    StartTls,

    /// <summary>From the first byte (RFC 8314 §3).</summary>
    Implicit,
}

/// <summary>The settings under <c>Mail:Smtp</c>.</summary>
/// <param name="Host">The mail server.</param>
/// <param name="Port">Its port.</param>
/// <param name="Tls">How the way there is encrypted.</param>
/// <param name="Credential">Who logs in there, or null when nobody needs to.</param>
/// <param name="From">Who the mails come from.</param>
/// <param name="Authorities">The only certificate authorities that the server's certificate may come from; empty for those of the machine.</param>
internal sealed record MailSettings(
    string Host,
    int Port,
    MailTls Tls,
    NetworkCredential? Credential,
    MailAddress From,
    X509Certificate2Collection Authorities
)
{
    private const string Section = "Mail:Smtp";

    /// <summary>Null when no mail server is set.</summary>
    /// <exception cref="SettingException">A value is not valid.</exception>
    public static MailSettings? Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(Section);
        if (section["Host"] is not { Length: > 0 } host)
            return section.GetChildren().FirstOrDefault(s => s.Value is { Length: > 0 }) is { } stray
                ? throw new SettingException(
                    $"{Section}:{stray.Key} is set, but {Section}:Host is empty; valid is the name of a mail server."
                )
                : null;
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
            throw Invalid("Host", host, "the name or the address of a mail server");

        var tls = ReadTls(section["Tls"]);
        var credential = ReadCredential(section["UserName"], section["Password"]);
        if (credential is not null && tls == MailTls.None && !IsThisMachine(host))
            throw new SettingException(
                $"{Section}:Tls is 'none' and {Section}:UserName is set: the password would travel readably; valid is 'starttls' or 'implicit'."
            );
        return new MailSettings(
            host,
            ReadPort(section["Port"], tls),
            tls,
            credential,
            ReadFrom(section["From"]),
            ReadAuthorities(section["CertificateAuthorities"])
        );
    }

    private static MailTls ReadTls(string? text) =>
        text switch
        {
            null or "" or "starttls" => MailTls.StartTls,
            "implicit" => MailTls.Implicit,
            "none" => MailTls.None,
            _ => throw Invalid("Tls", text, "'none', 'starttls' or 'implicit'"),
        };

    // RFC 6409 §3.1 and RFC 8314 §7.3.
    private static int ReadPort(string? text, MailTls tls)
    {
        if (string.IsNullOrEmpty(text))
            return tls == MailTls.Implicit ? 465 : 587;
        return
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port is > 0 and <= 65535
            ? port
            : throw Invalid("Port", text, "a whole number from 1 to 65535");
    }

    private static NetworkCredential? ReadCredential(string? userName, string? password) =>
        (userName, password) switch
        {
            (null or "", null or "") => null,
            ({ Length: > 0 }, { Length: > 0 }) => new NetworkCredential(userName, password),
            ({ Length: > 0 }, _) => throw new SettingException(
                $"{Section}:UserName is set, but {Section}:Password is empty; valid is both or neither."
            ),
            _ => throw new SettingException(
                $"{Section}:Password is set, but {Section}:UserName is empty; valid is both or neither."
            ),
        };

    private static MailAddress ReadFrom(string? text) =>
        MailAddress.TryParse(text, out var from)
            ? from
            : throw Invalid(
                "From",
                text ?? "",
                "an address, 'verbatim@example.org' or 'Verbatim <verbatim@example.org>'"
            );

    private static X509Certificate2Collection ReadAuthorities(string? file)
    {
        var authorities = new X509Certificate2Collection();
        if (string.IsNullOrEmpty(file))
            return authorities;
        try
        {
            authorities.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new SettingException(
                $"{Section}:CertificateAuthorities is '{file}', which cannot be read; valid is a file of certificates in PEM.",
                e
            );
        }
        return authorities.Count > 0
            ? authorities
            : throw Invalid("CertificateAuthorities", file, "a file of at least one certificate in PEM");
    }

    private static bool IsThisMachine(string host) =>
        host is "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static SettingException Invalid(string name, string found, string valid) =>
        new($"{Section}:{name} is '{found}'; valid is {valid}.");
}
