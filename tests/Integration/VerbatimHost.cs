using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Evidence;
using Verbatim.Platform.Modules;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration;

/// <summary>
/// The whole Host in this process, as <c>Program</c> starts it, on a Kestrel port of its own. As a class fixture it runs on an empty
/// database of its own; <see cref="StartAsync"/> starts one on a given database, for a second instance or with other settings.
/// </summary>
/// <example>
/// <code>
/// public sealed class ApiKeyTests(VerbatimHost host) : IClassFixture&lt;VerbatimHost&gt;
/// {
///     [Fact]
///     public async Task A_revoked_key_is_refused()
///     {
///         var administrator = await host.AsAdministratorAsync(TestContext.Current.CancellationToken);
/// </code>
/// </example>
public sealed class VerbatimHost : IAsyncLifetime
{
    public const string AdministratorEmail = "admin@localhost";
    public const string AdministratorPassword = "the administrator's password";

    private readonly SharedPostgres? _postgres;
    private readonly SemaphoreSlim _login = new(1);
    private readonly TemporaryHome _home = new();
    private Factory? _factory;
    private string? _administratorToken;

    /// <summary>A class fixture.</summary>
    public VerbatimHost(SharedPostgres postgres) => _postgres = postgres;

    private VerbatimHost() { }

    /// <summary>Where it listens, with a slash at the end.</summary>
    public Uri Address => Running.ClientOptions.BaseAddress;

    /// <summary>The Host's own services.</summary>
    public IServiceProvider Services => Running.Services;

    /// <summary>Its database.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>A command of <c>./run</c>.</summary>
    public ICommand CommandNamed(string name) =>
        Services.GetServices<ICommand>().Single(c => c.GetType().GetCustomAttribute<CommandAttribute>()!.Name == name);

    private Factory Running => _factory ?? throw new InvalidOperationException("The Host is not running.");

    /// <summary>Starts a Host on a database: an empty one gets the administrator, another has theirs already.</summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="settings">Further settings, as they would be given as arguments: <c>["Gateway:MaxRequestBytes"] = "1024"</c>.</param>
    public static Task<VerbatimHost> StartAsync(
        string connectionString,
        IReadOnlyDictionary<string, string>? settings = null
    )
    {
        var host = new VerbatimHost();
        return host.StartOnAsync(connectionString, settings ?? new Dictionary<string, string>(StringComparer.Ordinal));
    }

    /// <summary>A client without a credential. Nothing is followed or kept: no redirects, no cookies.</summary>
    public HttpClient AsAnyone() =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Address };

    /// <summary>A client with this credential, an API key or an access token.</summary>
    public HttpClient As(string credential)
    {
        var client = AsAnyone();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        return client;
    }

    /// <summary>A client with the administrator's access token.</summary>
    public async Task<HttpClient> AsAdministratorAsync(CancellationToken cancellationToken)
    {
        await _login.WaitAsync(cancellationToken);
        try
        {
            _administratorToken ??= await LogInAsync(AdministratorEmail, AdministratorPassword, cancellationToken);
        }
        finally
        {
            _login.Release();
        }
        return As(_administratorToken);
    }

    /// <summary>Returns when all that is recorded now is signed, by whichever instance: the host itself may be at it.</summary>
    public async Task SealAsync(CancellationToken cancellationToken)
    {
        var head = await Services.GetRequiredService<EventStore>().ReadHeadAsync(cancellationToken);
        while (await Services.GetRequiredService<TreeReader>().ReadSizeAsync(cancellationToken) < head)
            await Services.GetRequiredService<TreeSealer>().SealAsync(cancellationToken);
    }

    /// <summary>A client with the access token of a new person of this role: <c>admin</c>, <c>user</c>, <c>viewer</c>, <c>auditor</c>.</summary>
    public async Task<HttpClient> AsNewAsync(string role, CancellationToken cancellationToken)
    {
        using var administrator = await AsAdministratorAsync(cancellationToken);
        var email = $"{role}-{Guid.NewGuid():N}@example.org";
        var created = await PostAsync(administrator, "/api/users", new { email, role }, cancellationToken);
        return As(
            await ChoosePasswordAsync(
                email,
                created["oneTimePassword"]!.GetValue<string>(),
                "a password of their own",
                cancellationToken
            )
        );
    }

    /// <summary>The secret of a new API key of the administrator with these scopes, or with all.</summary>
    public async Task<string> CreateApiKeyAsync(
        IReadOnlyList<string>? scopes = null,
        CancellationToken cancellationToken = default
    )
    {
        using var administrator = await AsAdministratorAsync(cancellationToken);
        var created = await PostAsync(
            administrator,
            "/api/api-keys",
            new { name = "A test's key", scopes = scopes ?? Scopes.All },
            cancellationToken
        );
        return created["secret"]!.GetValue<string>();
    }

    /// <summary>An access token for an address and a password.</summary>
    public async Task<string> LogInAsync(string email, string password, CancellationToken cancellationToken)
    {
        using var anyone = AsAnyone();
        var login = await PostAsync(anyone, "/api/auth/login", new { email, password }, cancellationToken);
        return login["accessToken"]!.GetValue<string>();
    }

    /// <summary>Has a new person put a password in the place of the one-time one; the access token of their login, which goes on.</summary>
    public async Task<string> ChoosePasswordAsync(
        string email,
        string oneTimePassword,
        string password,
        CancellationToken cancellationToken
    )
    {
        var token = await LogInAsync(email, oneTimePassword, cancellationToken);
        using var own = As(token);
        using var changed = await own.PostAsJsonAsync(
            "/api/auth/password",
            new { currentPassword = oneTimePassword, newPassword = password },
            cancellationToken
        );
        changed.EnsureSuccessStatusCode();
        return token;
    }

    public async ValueTask InitializeAsync()
    {
        var database = await _postgres!.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        await StartOnAsync(database, new Dictionary<string, string>(StringComparer.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        if (_factory is not null)
            await _factory.DisposeAsync();
        _home.Dispose();
        _login.Dispose();
    }

    private async Task<VerbatimHost> StartOnAsync(string database, IReadOnlyDictionary<string, string> settings)
    {
        ConnectionString = database;
        var all = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["ConnectionStrings:Postgres"] = database,
            ["Urls"] = "http://127.0.0.1:0",
            ["VERBATIM_HOME"] = _home.Path,
            // One for all, since several hosts may share a database.
            ["Secrets:MasterKey"] = Convert.ToBase64String(new byte[32]),
            ["Identity:AdministratorEmail"] = AdministratorEmail,
            ["Identity:AdministratorPassword"] = AdministratorPassword,
            ["Logging:LogLevel:Default"] = "Warning",
            // Many tests come from one address.
            ["Http:RateLimits:Logins"] = "100000",
            ["Http:RateLimits:Resets"] = "100000",
            ["Http:RateLimits:Tokens"] = "100000",
            // What the machine has of its own is not tested.
            ["OPENAI_API_KEY"] = "",
            ["OPENROUTER_API_KEY"] = "",
            ["ANTHROPIC_API_KEY"] = "",
            ["Gateway:OllamaUrl"] = "",
        };
        foreach (var (name, value) in settings)
            all[name] = value;

        _factory = new Factory(all);
        _factory.UseKestrel();
        try
        {
            await Task.Run(_factory.StartServer);
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
        return this;
    }

    private static async Task<JsonNode> PostAsync(
        HttpClient client,
        string path,
        object body,
        CancellationToken cancellationToken
    )
    {
        using var response = await client.PostAsJsonAsync(path, body, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode
            ? JsonNode.Parse(text)!
            : throw new InvalidOperationException($"POST {path}: {(int)response.StatusCode} {text}");
    }

    private sealed class Factory(IReadOnlyDictionary<string, string> settings) : WebApplicationFactory<global::Program>
    {
        // The factory hands these to Program as arguments, so they are there from its first line.
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseEnvironment(Environments.Production);
            foreach (var (name, value) in settings)
                builder.UseSetting(name, value);
        }

        protected override IHost CreateHost(IHostBuilder builder) => new HostOfProgram(base.CreateHost(builder));
    }

    // The factory would stop and dispose of what Program stops and disposes of at the same time. This asks Program to, and waits.
    private sealed class HostOfProgram(IHost host) : IHost
    {
        public IServiceProvider Services => host.Services;

        public Task StartAsync(CancellationToken cancellationToken = default) => host.StartAsync(cancellationToken);

        public async Task StopAsync(CancellationToken cancellationToken = default)
        {
            var lifetime = Services.GetRequiredService<IHostApplicationLifetime>();
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = lifetime.ApplicationStopped.Register(stopped.SetResult);
            lifetime.StopApplication();
            await stopped.Task.WaitAsync(TimeSpan.FromSeconds(30), cancellationToken);
        }

        public void Dispose() { }
    }
}
