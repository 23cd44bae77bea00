using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Verbatim.Modules.Identity.Mail;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity.Mail;

/// <summary>Mails reach a real SMTP server, and nothing reaches one that is not who it should be.</summary>
public sealed class MailerTests
{
    private static readonly Letter Sample = new(
        "ada@example.org",
        "Grüße, Ada ✓",
        ["Somebody asks for <you> & yours.", "The second paragraph: čau."],
        new Uri("https://verbatim.example.org/invitations/abc?x=1&y=2")
    );

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("none", false, "PLAIN")]
    [InlineData("none", true, "PLAIN")]
    [InlineData("starttls", false, "PLAIN")]
    [InlineData("starttls", true, "PLAIN,LOGIN")]
    [InlineData("starttls", true, "LOGIN")]
    [InlineData("implicit", true, "PLAIN")]
    public async Task A_mail_arrives_as_it_was_meant(string tls, bool logsIn, string methods)
    {
        await using var server = await MailServer.StartAsync(tls, logsIn, methods);

        await MailerOf(server.Settings(tls, logsIn)).SendAsync(Sample, Cancellation);

        var mail = await server.ReceiveAsync(Cancellation);
        Assert.Equal("verbatim@example.org", mail["envelope"]!["from"]!.GetValue<string>());
        Assert.Equal("ada@example.org", mail["envelope"]!["to"]![0]!.GetValue<string>());
        Assert.Equal(tls != "none", mail["secure"]!.GetValue<bool>());
        Assert.Equal(logsIn ? MailServer.UserName : null, mail["user"]?.GetValue<string>());
        Assert.Equal("Verbatim", mail["from"]!["name"]!.GetValue<string>());
        Assert.Equal(Sample.Subject, mail["subject"]!.GetValue<string>());
        var text = mail["text"]!.GetValue<string>();
        Assert.All(Sample.Paragraphs, p => Assert.Contains(p, text, StringComparison.Ordinal));
        Assert.Contains(Sample.Link!.AbsoluteUri, text, StringComparison.Ordinal);
        var html = mail["html"]!.GetValue<string>();
        Assert.Contains("&lt;you&gt; &amp; yours", html, StringComparison.Ordinal);
        Assert.Contains(
            "href=\"https://verbatim.example.org/invitations/abc?x=1&amp;y=2\"",
            html,
            StringComparison.Ordinal
        );
        Assert.InRange(mail["longestLine"]!.GetValue<int>(), 1, 200);
    }

    [Fact]
    public async Task Nothing_that_is_put_into_a_mail_becomes_a_header_of_it()
    {
        await using var server = await MailServer.StartAsync("none", demandsLogin: false);
        var mailer = MailerOf(server.Settings("none", logsIn: false));
        const string Smuggled = "x\r\nBcc: victim@example.org\r\n\r\n.\r\nMAIL FROM:<me@example.org>";

        foreach (
            var address in (string[])
                [
                    Smuggled,
                    "ada@example.org\r\nRCPT TO:<victim@example.org>",
                    "ada@example.org> <victim@example.org",
                    "ada@example.org,victim@example.org",
                    "\"a b\"@example.org",
                    "ada@exa mple.org",
                    "@example.org",
                    "ada@",
                ]
        )
        {
            var refused = await Assert.ThrowsAsync<MailException>(() =>
                mailer.SendAsync(Sample with { To = address }, Cancellation)
            );
            Assert.True(refused.IsPermanent);
        }
        await mailer.SendAsync(Sample with { Subject = Smuggled, Paragraphs = [Smuggled, ".", "."] }, Cancellation);

        var mail = await server.ReceiveAsync(Cancellation);
        Assert.Single(mail["envelope"]!["to"]!.AsArray());
        Assert.DoesNotContain(
            "bcc",
            mail["headers"]!.AsArray().Select(h => h!.GetValue<string>()),
            StringComparer.Ordinal
        );
        Assert.Contains("MAIL FROM:<me@example.org>", mail["text"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.False(server.HasMail);
    }

    [Fact]
    public async Task A_refusal_says_why_without_the_address_and_without_the_password()
    {
        await using var server = await MailServer.StartAsync("starttls", demandsLogin: true);
        var settings = server.Settings("starttls", logsIn: true);

        var unknown = await Assert.ThrowsAsync<MailException>(() =>
            MailerOf(settings).SendAsync(Sample with { To = "nobody@example.org" }, Cancellation)
        );
        settings["Mail:Smtp:Password"] = "a wrong canary";
        var wrong = await Assert.ThrowsAsync<MailException>(() => MailerOf(settings).SendAsync(Sample, Cancellation));

        Assert.True(unknown.IsPermanent);
        Assert.Equal("The mail server answered 550 to RCPT.", unknown.Message);
        Assert.False(wrong.IsPermanent);
        Assert.Equal("The mail server answered 535 to AUTH.", wrong.Message);
        Assert.False(server.HasMail);
    }

    [Fact]
    public async Task A_server_that_cannot_prove_its_name_or_does_not_encrypt_gets_nothing()
    {
        await using var encrypted = await MailServer.StartAsync("starttls", demandsLogin: true);
        await using var readable = await MailServer.StartAsync("none", demandsLogin: false);
        var stranger = encrypted.Settings("starttls", logsIn: true);
        stranger["Mail:Smtp:CertificateAuthorities"] = "";
        var misnamed = encrypted.Settings("starttls", logsIn: true);
        misnamed["Mail:Smtp:Host"] = "127.0.0.1";
        var stripped = readable.Settings("starttls", logsIn: false);
        stripped["Mail:Smtp:CertificateAuthorities"] = "";

        foreach (var settings in (Dictionary<string, string>[])[stranger, misnamed, stripped])
            await Assert.ThrowsAsync<MailException>(() => MailerOf(settings).SendAsync(Sample, Cancellation));

        Assert.False(encrypted.HasMail);
        Assert.False(readable.HasMail);
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_given_up_after_ten_seconds()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Mail:Smtp:Host"] = "127.0.0.1",
            ["Mail:Smtp:Port"] = $"{((IPEndPoint)listener.LocalEndpoint).Port}",
            ["Mail:Smtp:Tls"] = "implicit",
            ["Mail:Smtp:From"] = "verbatim@example.org",
        };
        var start = TimeProvider.System.GetTimestamp();

        var refused = await Assert.ThrowsAsync<MailException>(() => MailerOf(settings).SendAsync(Sample, Cancellation));

        Assert.False(refused.IsPermanent);
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 9, 15);
    }

    [Theory]
    [InlineData("Port", "0", "Mail:Smtp:Port is '0'; valid is a whole number from 1 to 65535.")]
    [InlineData("Tls", "ssl", "Mail:Smtp:Tls is 'ssl'; valid is 'none', 'starttls' or 'implicit'.")]
    [InlineData("From", "Verbatim", "Mail:Smtp:From is 'Verbatim'; valid is an address")]
    [InlineData("From", "", "Mail:Smtp:From is ''; valid is an address")]
    [InlineData("Host", "no host", "Mail:Smtp:Host is 'no host'; valid is")]
    [InlineData("Host", "", "Mail:Smtp:Host is empty")]
    [InlineData("UserName", "mailer", "Mail:Smtp:Password is empty")]
    [InlineData("Password", "secret", "Mail:Smtp:UserName is empty")]
    [InlineData("CertificateAuthorities", "/nowhere.pem", "Mail:Smtp:CertificateAuthorities is '/nowhere.pem'")]
    public void A_wrong_setting_is_named(string name, string value, string sentence)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Mail:Smtp:Host"] = "mail.example.org",
            ["Mail:Smtp:From"] = "verbatim@example.org",
            [$"Mail:Smtp:{name}"] = value,
        };

        var refused = Assert.Throws<SettingException>(() => MailerOf(settings));

        Assert.Contains(sentence, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_is_not_sent_readably_over_a_network()
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Mail:Smtp:Host"] = "mail.example.org",
            ["Mail:Smtp:From"] = "verbatim@example.org",
            ["Mail:Smtp:Tls"] = "none",
            ["Mail:Smtp:UserName"] = "mailer",
            ["Mail:Smtp:Password"] = "canary",
        };

        var refused = Assert.Throws<SettingException>(() => MailerOf(settings));

        Assert.Contains("would travel readably", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", refused.Message, StringComparison.Ordinal);
        Assert.False(MailerOf(new Dictionary<string, string>(StringComparer.Ordinal)).IsConfigured);
    }

    private static Mailer MailerOf(Dictionary<string, string> settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings!).Build();
        return new Mailer(
            MailSettings.Read(configuration),
            new IdSource(TimeProvider.System),
            TimeProvider.System,
            NullLogger<Mailer>.Instance
        );
    }
}
