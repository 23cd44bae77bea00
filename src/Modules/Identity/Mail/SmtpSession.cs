using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Verbatim.Modules.Identity.Mail;

/// <summary>
/// A conversation with a mail server (RFC 5321) in which one mail is handed over. The framework's own client cannot encrypt from the first
/// byte, and does not end an asynchronous call after its time.
/// </summary>
internal sealed class SmtpSession : IAsyncDisposable
{
    // RFC 5321 §4.5.3.1.5 allows 512; servers send more. An answer of more than so many lines is not one.
    private const int MaxLine = 4096;
    private const int MaxLines = 100;

    private readonly TcpClient _client;
    private readonly byte[] _buffer = new byte[MaxLine];
    private Stream _stream = Stream.Null;
    private int _start;
    private int _end;
    private HashSet<string> _extensions = [];

    private SmtpSession(TcpClient client) => _client = client;

    /// <summary>Connects, encrypts and logs in as the settings say.</summary>
    /// <exception cref="MailException">The server cannot be reached, is not who it should be, or refuses.</exception>
    public static async Task<SmtpSession> OpenAsync(MailSettings settings, CancellationToken cancellationToken)
    {
        var client = new TcpClient { NoDelay = true };
        var session = new SmtpSession(client);
        try
        {
            await client.ConnectAsync(settings.Host, settings.Port, cancellationToken);
            await session.BeginAsync(settings, cancellationToken);
            return session;
        }
        catch (Exception e) when (IsOfTheNetwork(e))
        {
            await session.DisposeAsync();
            throw Describe(e);
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>Hands over one mail.</summary>
    /// <exception cref="MailException">The server does not take it.</exception>
    public async Task SendAsync(string from, string to, byte[] message, CancellationToken cancellationToken)
    {
        try
        {
            await CommandAsync($"MAIL FROM:<{from}>", 250, cancellationToken);
            await CommandAsync($"RCPT TO:<{to}>", 250, cancellationToken);
            await CommandAsync("DATA", 354, cancellationToken);
            // The message is our own: no line of it begins with a dot (RFC 5321 §4.5.2), and it ends with CRLF.
            await _stream.WriteAsync(message, cancellationToken);
            await CommandAsync(".", 250, cancellationToken);
        }
        catch (Exception e) when (IsOfTheNetwork(e))
        {
            throw Describe(e);
        }
        // The mail is the server's now: whether it says goodbye changes nothing.
        try
        {
            await CommandAsync("QUIT", 221, cancellationToken);
        }
        catch (Exception e) when (e is OperationCanceledException or MailException || IsOfTheNetwork(e)) { }
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _client.Dispose();
    }

    private async Task BeginAsync(MailSettings settings, CancellationToken cancellationToken)
    {
        _stream = _client.GetStream();
        if (settings.Tls == MailTls.Implicit)
            await EncryptAsync(settings, cancellationToken);
        await ExpectAsync("the connection", 220, cancellationToken);
        await GreetAsync(cancellationToken);
        if (settings.Tls == MailTls.StartTls)
        {
            if (!_extensions.Contains("STARTTLS"))
                throw new MailException("The mail server offers no STARTTLS.", isPermanent: false);
            await CommandAsync("STARTTLS", 220, cancellationToken);
            // What came in before the encryption is nobody's word (CVE-2011-0411 and its kin).
            if (_start != _end)
                throw new MailException("The mail server spoke before the encryption began.", isPermanent: false);
            await EncryptAsync(settings, cancellationToken);
            await GreetAsync(cancellationToken);
        }
        if (settings.Credential is { } credential)
            await LogInAsync(credential, cancellationToken);
    }

    private async Task EncryptAsync(MailSettings settings, CancellationToken cancellationToken)
    {
        var encrypted = new SslStream(_stream, leaveInnerStreamOpen: false);
        _stream = encrypted;
        var options = new SslClientAuthenticationOptions { TargetHost = settings.Host };
        if (settings.Authorities.Count > 0)
        {
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                // An authority of one's own seldom publishes what it has revoked.
                RevocationMode = X509RevocationMode.NoCheck,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(settings.Authorities);
        }
        await encrypted.AuthenticateAsClientAsync(options, cancellationToken);
    }

    private async Task GreetAsync(CancellationToken cancellationToken)
    {
        // RFC 5321 §4.1.3: the address, for one who has no name that others know.
        var address = ((IPEndPoint)_client.Client.LocalEndPoint!).Address;
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        var literal = address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[IPv6:{address}]" : $"[{address}]";
        var lines = await CommandAsync("EHLO " + literal, 250, cancellationToken);
        _extensions = lines.Skip(1).ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    private async Task LogInAsync(NetworkCredential credential, CancellationToken cancellationToken)
    {
        var methods = _extensions
            .Where(e => e.StartsWith("AUTH ", StringComparison.OrdinalIgnoreCase))
            .SelectMany(e => e[5..].Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (methods.Contains("PLAIN"))
        {
            // RFC 4616.
            var plain = Base64($"\0{credential.UserName}\0{credential.Password}");
            await CommandAsync("AUTH PLAIN " + plain, 235, cancellationToken);
        }
        else if (methods.Contains("LOGIN"))
        {
            await CommandAsync("AUTH LOGIN", 334, cancellationToken);
            await CommandAsync(Base64(credential.UserName), 334, cancellationToken);
            await CommandAsync(Base64(credential.Password), 235, cancellationToken);
        }
        else
        {
            throw new MailException("The mail server offers neither AUTH PLAIN nor AUTH LOGIN.", isPermanent: false);
        }
    }

    private async Task<List<string>> CommandAsync(string line, int expected, CancellationToken cancellationToken)
    {
        await _stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"), cancellationToken);
        return await ExpectAsync(line.Split(' ', ':')[0], expected, cancellationToken);
    }

    /// <summary>The lines of an answer, without the code (RFC 5321 §4.2.1).</summary>
    private async Task<List<string>> ExpectAsync(string what, int expected, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        while (lines.Count < MaxLines)
        {
            var line = await ReadLineAsync(cancellationToken);
            if (
                line.Length < 3
                || !int.TryParse(line.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            )
                break;
            lines.Add(line.Length > 4 ? line[4..] : "");
            if (line.Length > 3 && line[3] == '-')
                continue;
            if (code == expected || (expected == 250 && code == 251))
                return lines;
            throw new MailException(
                string.Create(CultureInfo.InvariantCulture, $"The mail server answered {code} to {Known(what)}."),
                // Who logs in wrongly is put right in the settings; the mail need not be given up.
                isPermanent: code is >= 500 and < 600 && what is "RCPT" or "."
            );
        }
        throw new MailException("The mail server does not speak SMTP.", isPermanent: false);
    }

    // A part of a login has no name: it is the secret itself.
    private static string Known(string what) =>
        what is "the connection" or "EHLO" or "STARTTLS" or "AUTH" or "MAIL" or "RCPT" or "DATA" or "QUIT" ? what
        : what is "." ? "the message"
        : "AUTH";

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var feed = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            if (feed >= 0)
            {
                var line = Encoding.ASCII.GetString(_buffer, _start, feed).TrimEnd('\r');
                _start += feed + 1;
                return line;
            }
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            if (_end == _buffer.Length)
                throw new MailException("The mail server does not speak SMTP.", isPermanent: false);
            var read = await _stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            if (read == 0)
                throw new MailException("The mail server hung up.", isPermanent: false);
            _end += read;
        }
    }

    private static bool IsOfTheNetwork(Exception e) => e is AuthenticationException or SocketException or IOException;

    private static MailException Describe(Exception e) =>
        new(
            e is AuthenticationException
                ? "The mail server's certificate is not one that is trusted for its name."
                : "The mail server cannot be reached.",
            isPermanent: false
        );

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
