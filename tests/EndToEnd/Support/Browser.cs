using Microsoft.Playwright;
using Verbatim.Tests.EndToEnd.Support;
using Verbatim.Tests.Integration.Support;

[assembly: AssemblyFixture(typeof(Browser))]
[assembly: AssemblyFixture(typeof(SharedPostgres))]

namespace Verbatim.Tests.EndToEnd.Support;

/// <summary>One real Chromium for all tests: take it as a constructor parameter. Each visit has cookies of its own.</summary>
/// <example>
/// <code>
/// public sealed class LoginPageTests(VerbatimHost host, Browser browser) : IClassFixture&lt;VerbatimHost&gt;
/// {
///     [Fact]
///     public async Task A_person_logs_in()
///     {
///         await using var visit = await browser.VisitAsync(host.Address);
///         await visit.Page.GotoAsync("/login");
/// </code>
/// </example>
public sealed class Browser : IAsyncLifetime
{
    // The first is needed by root, whose processes Chromium does not sandbox; the others keep it from asking the network for anything.
    private static readonly string[] Flags =
    [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ];

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions
            {
                ExecutablePath = Find(),
                Headless = true,
                Args = Flags,
            }
        );
    }

    /// <summary>A new window without cookies.</summary>
    /// <param name="address">The server, to which paths are relative.</param>
    /// <param name="width">In CSS pixels; a telephone has 360.</param>
    /// <param name="isDark">What the person prefers.</param>
    /// <param name="scripts">False switches JavaScript off.</param>
    public async Task<Visit> VisitAsync(Uri address, int width = 1000, bool isDark = false, bool scripts = true)
    {
        var context = await _browser!.NewContextAsync(
            new BrowserNewContextOptions
            {
                BaseURL = address.ToString(),
                ViewportSize = new ViewportSize { Width = width, Height = 800 },
                ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
                JavaScriptEnabled = scripts,
                // Of the test's own certificate.
                IgnoreHTTPSErrors = true,
            }
        );
        context.SetDefaultTimeout(20_000);
        return new Visit(context, await context.NewPageAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    private static string Find()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/bin");
        return folders
                .SelectMany(folder => Names.Select(name => Path.Combine(folder, name)))
                .FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException(
                $"There is no browser on PATH: one of {string.Join(", ", Names)} is needed."
            );
    }
}

/// <summary>A window, and what went wrong in it.</summary>
public sealed class Visit : IAsyncDisposable
{
    private readonly List<string> _faults = [];

    internal Visit(IBrowserContext context, IPage page)
    {
        Context = context;
        Page = page;
        // Violations of the content security policy come as errors of the console.
        page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.Contains("status of 4", StringComparison.Ordinal))
                _faults.Add(message.Text);
        };
        page.PageError += (_, error) => _faults.Add(error);
    }

    public IBrowserContext Context { get; }

    public IPage Page { get; }

    /// <summary>What the console said, answers of 4xx aside.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>Writes what is seen into the folder that <c>VERBATIM_SCREENSHOTS</c> names, if it names one.</summary>
    public async Task ShowAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("VERBATIM_SCREENSHOTS") is { Length: > 0 } folder)
            await Page.ScreenshotAsync(
                new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png"), FullPage = true }
            );
    }

    public async ValueTask DisposeAsync() => await Context.DisposeAsync();
}
