using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Verbatim.Tests.Integration.Support;

/// <summary>npm's smtp-server on loopback, as a process of its own, with a certificate that its own authority has signed.</summary>
internal sealed class MailServer : IAsyncDisposable
{
    public const string UserName = "mailer";
    public const string Password = "the mailer's password";

    private readonly Process _node;
    private readonly TemporaryHome _folder;
    private readonly Channel<JsonNode> _mails = Channel.CreateUnbounded<JsonNode>();

    private MailServer(Process node, TemporaryHome folder)
    {
        _node = node;
        _folder = folder;
    }

    public int Port { get; private set; }

    /// <summary>The file of the authority that signed its certificate, which is for <c>localhost</c>.</summary>
    public string Authority => Path.Combine(_folder.Path, "authority.pem");

    /// <summary>Starts one; skips the test when npm's packages are not installed.</summary>
    /// <param name="tls"><c>none</c>, <c>starttls</c> or <c>implicit</c>.</param>
    /// <param name="demandsLogin">Whether it takes mails only after <see cref="UserName"/> has logged in.</param>
    /// <param name="methods">How one may log in there.</param>
    public static async Task<MailServer> StartAsync(string tls, bool demandsLogin, string methods = "PLAIN,LOGIN")
    {
        var programs = Path.Combine(Repository.Root, "tests", "Integration", "Clients", "Mail");
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(programs, "node_modules", "smtp-server")),
            "npm's smtp-server is not installed: ./test installs it, or 'npm ci' in tests/Integration/Clients/Mail."
        );
        var folder = new TemporaryHome();
        WriteCertificates(folder.Path);
        var node = Process.Start(
            new ProcessStartInfo("node", ["server.mjs", tls, demandsLogin ? "auth" : "open", folder.Path])
            {
                WorkingDirectory = programs,
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                Environment = { ["AUTH_METHODS"] = methods },
            }
        )!;
        var server = new MailServer(node, folder);
        _ = server.ReadAsync();
        server.Port = (await server.ReceiveAsync(TestContext.Current.CancellationToken))["port"]!.GetValue<int>();
        return server;
    }

    /// <summary>The settings that lead a Host to it.</summary>
    public Dictionary<string, string> Settings(string tls, bool logsIn)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Mail:Smtp:Host"] = "localhost",
            ["Mail:Smtp:Port"] = Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["Mail:Smtp:Tls"] = tls,
            ["Mail:Smtp:From"] = "Verbatim <verbatim@example.org>",
            ["Mail:Smtp:CertificateAuthorities"] = tls == "none" ? "" : Authority,
        };
        if (logsIn)
        {
            settings["Mail:Smtp:UserName"] = UserName;
            settings["Mail:Smtp:Password"] = Password;
        }
        return settings;
    }

    /// <summary>The next mail that it took; waits for it.</summary>
    public async Task<JsonNode> ReceiveAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        return await _mails.Reader.ReadAsync(patience.Token);
    }

    public bool HasMail => _mails.Reader.Count > 0;

    public async ValueTask DisposeAsync()
    {
        _node.StandardInput.Close();
        await _node.WaitForExitAsync(CancellationToken.None);
        _node.Dispose();
        _folder.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await _node.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
            _mails.Writer.TryWrite(JsonNode.Parse(line)!);
        _mails.Writer.Complete();
    }

    private static void WriteCertificates(string folder)
    {
        var now = DateTimeOffset.UtcNow;
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=A test's authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(
                certificateAuthority: true,
                hasPathLengthConstraint: false,
                pathLengthConstraint: 0,
                critical: true
            )
        );
        using var authority = authorityRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, now.AddDays(-1), now.AddHours(12), [1, 2, 3, 4]);

        File.WriteAllText(Path.Combine(folder, "authority.pem"), authority.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());
    }
}
