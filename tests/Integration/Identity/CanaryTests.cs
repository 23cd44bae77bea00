using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.OAuth;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity;

/// <summary>
/// Sends secrets through every flow of logging in, and then looks for them where they must not be: in the log at its most talkative, in the
/// opened events, in errors, in traces.
/// </summary>
public sealed class CanaryTests(SharedPostgres postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_secret_is_said_anywhere()
    {
        using var spans = new SpanRecorder();
        await using var host = await VerbatimHost.StartAsync(
            await postgres.CreateDatabaseAsync(Cancellation),
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Logging:LogLevel:Default"] = "Trace",
                ["Logging:LogLevel:Microsoft"] = "Trace",
                ["Logging:LogLevel:Verbatim.Modules.Identity.Authentication.CredentialHandler"] = "Trace",
                // Not all of this on the screen.
                ["Logging:Console:LogLevel:Default"] = "None",
                ["Logging:Console:LogLevel:Microsoft"] = "None",
            }
        );
        using var log = new LogRecorder();
        host.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        var problems = new ConcurrentQueue<string>();
        var secrets = new Dictionary<string, string>(StringComparer.Ordinal);

        await GoThroughEverythingAsync(host, problems, secrets);
        var events = await ReadEventsAsync(host);

        Assert.True(secrets.Count >= 31, $"Only {secrets.Count} secrets were sent.");
        Assert.Contains(log.Lines, l => l.StartsWith("Trace", StringComparison.Ordinal));
        Assert.Contains(log.Lines, l => l.StartsWith("Debug", StringComparison.Ordinal));
        Assert.True(spans.Texts.Count > 30, $"Only {spans.Texts.Count} spans were recorded.");
        Assert.Contains("identity.second-factor-enabled", events, StringComparison.Ordinal);
        var found = new List<string>();
        foreach (var (name, secret) in secrets)
        {
            Look("the log", log.Lines);
            Look("a trace", spans.Texts);
            Look("an error", problems);
            // An address is personal data there, sealed; opened it reads as it is.
            if (name != "address")
                Look("an event", [events]);

            void Look(string where, IEnumerable<string> texts)
            {
                if (texts.FirstOrDefault(t => IsIn(t, secret)) is { } text)
                    found.Add($"{name} is in {where}: {(text.Length > 300 ? "…" : text)}");
            }
        }
        Assert.Empty(found);
    }

    // A code is six digits, which a longer number may well have in it.
    private static bool IsIn(string text, string secret) =>
        secret.Length > 6
            ? text.Contains(secret, StringComparison.OrdinalIgnoreCase)
            : Regex.IsMatch(text, $@"(?<![\w.\-]){secret}(?![\w.\-])", RegexOptions.None, TimeSpan.FromSeconds(5));

    private static async Task GoThroughEverythingAsync(
        VerbatimHost host,
        ConcurrentQueue<string> problems,
        Dictionary<string, string> secrets
    )
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var anyone = new HttpClient(new ErrorRecorder(problems)) { BaseAddress = host.Address };
        var email = $"canary-{Guid.NewGuid():N}@example.org";
        var password = "the canary sings at " + Guid.NewGuid().ToString("N");
        var second = "the canary sings again at " + Guid.NewGuid().ToString("N");
        secrets["address"] = email;
        secrets["password"] = password;
        secrets["second password"] = second;
        secrets["wrong password"] = "wrong-canary-" + Guid.NewGuid().ToString("N");
        secrets["weak password"] = "welcomewelcome2026";
        secrets["administrator's password"] = VerbatimHost.AdministratorPassword;

        var created = await Person.ReadAsync(
            await administrator.PostAsJsonAsync("/api/users", new { email, role = "user" }, Cancellation)
        );
        secrets["one-time password"] = created["oneTimePassword"]!.GetValue<string>();
        await PostAsync(anyone, "/api/auth/login", new { email, password = secrets["wrong password"] });
        var login = await PostAsync(anyone, "/api/auth/login", new { email, password = secrets["one-time password"] });
        secrets["access token"] = login["accessToken"]!.GetValue<string>();
        secrets["refresh token"] = login["refreshToken"]!.GetValue<string>();
        anyone.DefaultRequestHeaders.Authorization = new("Bearer", secrets["access token"]);
        await PostAsync(
            anyone,
            "/api/auth/password",
            new { currentPassword = secrets["one-time password"], newPassword = secrets["weak password"] }
        );
        await PostAsync(
            anyone,
            "/api/auth/password",
            new { currentPassword = secrets["one-time password"], newPassword = password }
        );

        var begun = await PostAsync(anyone, "/api/auth/second-factor", new { currentPassword = password });
        secrets["authenticator's secret"] = begun["secret"]!.GetValue<string>();
        secrets["wrong code"] = "918273";
        secrets["code"] = Person.CodeOf(secrets["authenticator's secret"], steps: 0);
        await PostAsync(anyone, "/api/auth/second-factor/confirmation", new { code = secrets["wrong code"] });
        var codes = await PostAsync(anyone, "/api/auth/second-factor/confirmation", new { code = secrets["code"] });
        secrets["recovery code"] = codes["recoveryCodes"]![0]!.GetValue<string>();
        secrets["unused recovery code"] = codes["recoveryCodes"]![1]!.GetValue<string>();
        var asked = await PostAsync(
            anyone,
            "/api/auth/login",
            new
            {
                email,
                password,
                cookie = true,
            }
        );
        secrets["challenge"] = asked["challenge"]!.GetValue<string>();
        // Which is what this answer is for; nowhere else.
        problems.Clear();
        var challenge = secrets["challenge"];
        await PostAsync(anyone, "/api/auth/login/second-factor", new { challenge, code = secrets["wrong code"] });
        await PostAsync(
            anyone,
            "/api/auth/login/second-factor",
            new { challenge, code = secrets["recovery code"] },
            response =>
                secrets["cookie"] = response
                    .Headers.GetValues("set-cookie")
                    .Select(c => Regex.Match(c, "vl_[0-9A-Za-z]+", RegexOptions.None, TimeSpan.FromSeconds(1)).Value)
                    .First(c => c.Length > 0)
        );

        await PostAsync(anyone, "/api/auth/refresh", new { refreshToken = secrets["refresh token"] });
        await PostAsync(anyone, "/api/auth/refresh", new { refreshToken = secrets["refresh token"] });
        using var offered = await administrator.PostAsync(
            $"/api/users/{created["id"]}/password-reset",
            null,
            Cancellation
        );
        var link = new Uri((await Person.ReadAsync(offered))["link"]!.GetValue<string>());
        secrets["reset token"] = link.Query[(link.Query.IndexOf('=', StringComparison.Ordinal) + 1)..];
        using (var page = await anyone.GetAsync(link.PathAndQuery, Cancellation))
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        await PostAsync(anyone, "/api/auth/password-reset", new { email });
        await PostAsync(
            anyone,
            "/api/auth/password-reset/confirmation",
            new { token = secrets["reset token"], newPassword = second }
        );
        await PostAsync(
            anyone,
            "/api/auth/password-reset/confirmation",
            new { token = secrets["reset token"], newPassword = second }
        );
        await PostAsync(
            anyone,
            "/api/auth/login",
            new
            {
                email,
                password = second,
                unknown = secrets["password"],
            }
        );

        using var form = new FormUrlEncodedContent([
            KeyValuePair.Create("email", email),
            KeyValuePair.Create("password", second),
        ]);
        using var posted = await anyone.PostAsync("/login", form, Cancellation);
        var key = await Person.ReadAsync(
            await administrator.PostAsJsonAsync("/api/api-keys", new { name = "Canary" }, Cancellation)
        );
        secrets["API key"] = key["secret"]!.GetValue<string>();
        using var withKey = host.As(secrets["API key"]);
        using var models = await withKey.GetAsync("/v1/models", Cancellation);
        using var withNonsense = host.As(secrets["API key"] + "x");
        using var refused = await withNonsense.GetAsync("/api/me", Cancellation);
        var rotated = await Person.ReadAsync(
            await administrator.PostAsJsonAsync($"/api/api-keys/{key["id"]}/rotations", new { }, Cancellation)
        );
        secrets["rotated API key"] = rotated["secret"]!.GetValue<string>();

        await GoThroughProvidersAsync(host, problems, secrets);
        await GoThroughOAuthAsync(host, secrets);
        await GoThroughAnInvitationAsync(administrator, anyone, secrets);
    }

    private static async Task GoThroughProvidersAsync(
        VerbatimHost host,
        ConcurrentQueue<string> problems,
        Dictionary<string, string> secrets
    )
    {
        secrets["provider's credential"] = "sk-canary-one-" + Guid.NewGuid().ToString("N");
        secrets["provider's next credential"] = "sk-canary-two-" + Guid.NewGuid().ToString("N");
        secrets["unsaved credential"] = "sk-canary-three-" + Guid.NewGuid().ToString("N");
        using var administrator = new HttpClient(new ErrorRecorder(problems)) { BaseAddress = host.Address };
        administrator.DefaultRequestHeaders.Authorization = new(
            "Bearer",
            await host.LogInAsync(VerbatimHost.AdministratorEmail, VerbatimHost.AdministratorPassword, Cancellation)
        );
        var body = new
        {
            name = "canary",
            kind = "openai-compatible",
            baseUrl = "http://127.0.0.1:1/v1",
            apiKey = secrets["provider's credential"],
        };
        var made = await PostAsync(administrator, "/api/providers", body);
        await PostAsync(administrator, "/api/providers", body);
        await PostAsync(administrator, "/api/providers", body with { apiKey = body.apiKey + " and a space" });
        using (
            var changed = await administrator.PatchAsJsonAsync(
                $"/api/providers/{made["id"]}",
                new { apiKey = secrets["provider's next credential"] },
                Cancellation
            )
        )
            Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        await PostAsync(administrator, $"/api/providers/{made["id"]}/validate", new { model = "gpt-0" });
        await PostAsync(
            administrator,
            "/api/providers/validate",
            new
            {
                kind = "openai-compatible",
                body.baseUrl,
                apiKey = secrets["unsaved credential"],
            }
        );
        await PostAsync(
            administrator,
            "/api/deployments",
            new
            {
                name = "canary",
                providerId = made["id"],
                model = "canary",
            }
        );
        using var called = await administrator.PostAsJsonAsync(
            "/v1/chat/completions",
            new { model = "canary", messages = new[] { new { role = "user", content = "Hello" } } },
            Cancellation
        );
        Assert.Equal(HttpStatusCode.BadGateway, called.StatusCode);
        using var shown = await administrator.GetAsync($"/api/providers/{made["id"]}", Cancellation);
        problems.Enqueue(await shown.Content.ReadAsStringAsync(Cancellation));
    }

    private static async Task GoThroughOAuthAsync(VerbatimHost host, Dictionary<string, string> secrets)
    {
        using var dance = await OAuthDance.StartAsync(host);
        secrets["client secret"] = dance.Secret!;
        secrets["login cookie"] = dance.Browser.DefaultRequestHeaders.GetValues("Cookie").Single().Split('=')[1];
        secrets["code verifier"] = OAuthDance.Verifier;
        secrets["authorization code"] = await dance.CodeAsync();
        // Once with a wrong proof, once right, and once too often.
        await ExchangeAsync("a-wrong-canary-verifier-0123456789-0123456789");
        var tokens = await ExchangeAsync(OAuthDance.Verifier);
        secrets["application's access token"] = tokens["access_token"]!.GetValue<string>();
        secrets["application's refresh token"] = tokens["refresh_token"]!.GetValue<string>();
        secrets["ID token"] = tokens["id_token"]!.GetValue<string>();
        foreach (var path in new[] { "/oauth/introspect", "/oauth/revoke" })
            await dance.PostAsync(path, [("token", secrets["application's refresh token"])]);
        await dance.PostAsync(
            "/oauth/token",
            [("grant_type", "refresh_token"), ("refresh_token", secrets["application's refresh token"])]
        );
        await ExchangeAsync(OAuthDance.Verifier);

        async Task<JsonObject> ExchangeAsync(string verifier) =>
            (
                await dance.PostAsync(
                    "/oauth/token",
                    [
                        ("grant_type", "authorization_code"),
                        ("code", secrets["authorization code"]),
                        ("redirect_uri", OAuthDance.RedirectUri),
                        ("code_verifier", verifier),
                    ]
                )
            ).Body;
    }

    private static async Task GoThroughAnInvitationAsync(
        HttpClient administrator,
        HttpClient anyone,
        Dictionary<string, string> secrets
    )
    {
        var invited = await Person.ReadAsync(
            await administrator.PostAsJsonAsync(
                "/api/invitations",
                new { email = $"invited-{Guid.NewGuid():N}@example.org", role = "user" },
                Cancellation
            )
        );
        var link = new Uri(invited["link"]!.GetValue<string>());
        secrets["invitation token"] = link.Query.Split('=')[^1];
        secrets["invited person's password"] = "the canary was invited by " + Guid.NewGuid().ToString("N");
        anyone.DefaultRequestHeaders.Authorization = null;
        using var page = await anyone.GetAsync(link.PathAndQuery, Cancellation);
        foreach (var token in new[] { secrets["invitation token"] + "x", secrets["invitation token"] })
            await PostAsync(
                anyone,
                "/api/invitations/accept",
                new
                {
                    token,
                    password = secrets["invited person's password"],
                    name = "A bird",
                }
            );
    }

    private static async Task<JsonNode> PostAsync(
        HttpClient client,
        string path,
        object body,
        Action<HttpResponseMessage>? look = null
    )
    {
        using var response = await client.PostAsJsonAsync(path, body, Cancellation);
        Assert.True((int)response.StatusCode < 500, $"{path}: {(int)response.StatusCode}");
        look?.Invoke(response);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    private static async Task<string> ReadEventsAsync(VerbatimHost host)
    {
        var reader = host.Services.GetRequiredService<EventReader>();
        var text = new StringBuilder();
        await foreach (var recorded in host.Services.GetRequiredService<EventStore>().ReadAllAsync(0, Cancellation))
        {
            text.Append(CultureInfo.InvariantCulture, $"{recorded.Type} {recorded.Actor} {recorded.Correlation} ");
            text.AppendLine(Encoding.UTF8.GetString((await reader.OpenAsync(recorded, Cancellation)).Span));
        }
        return text.ToString();
    }

    private sealed class ErrorRecorder(ConcurrentQueue<string> problems)
        : DelegatingHandler(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            var response = await base.SendAsync(request, cancellationToken);
            // A page shows again what its visitor has typed, to them alone.
            if (!response.IsSuccessStatusCode && response.Content.Headers.ContentType?.MediaType is not "text/html")
                problems.Enqueue(response.Headers + await response.Content.ReadAsStringAsync(cancellationToken));
            return response;
        }
    }

    private sealed class LogRecorder : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            Lines.Enqueue(Text(state));
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => Lines.Enqueue($"{logLevel} {formatter(state, exception)} {Text(state)} {exception}");

        public void Dispose() { }

        // The parameters too: a sink may write them by themselves.
        private static string Text<TState>(TState state) =>
            state is IEnumerable<KeyValuePair<string, object?>> pairs
                ? string.Join(' ', pairs.Select(p => $"{p.Key}={p.Value}"))
                : state?.ToString() ?? "";
    }

    private sealed class SpanRecorder : IDisposable
    {
        private readonly ActivityListener _listener;

        public SpanRecorder()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = _ => true,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = activity =>
                    Texts.Enqueue(
                        $"{activity.DisplayName} {activity.StatusDescription} {string.Join(' ', activity.TagObjects.Select(t => $"{t.Key}={t.Value}"))} "
                            + string.Join(
                                ' ',
                                activity.Events.SelectMany(e => e.Tags).Select(t => $"{t.Key}={t.Value}")
                            )
                            + string.Join(' ', activity.Baggage.Select(t => $"{t.Key}={t.Value}"))
                    ),
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public ConcurrentQueue<string> Texts { get; } = new();

        public void Dispose() => _listener.Dispose();
    }
}
