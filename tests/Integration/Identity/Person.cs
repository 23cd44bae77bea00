using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Verbatim.Modules.Identity.TwoFactor;

namespace Verbatim.Tests.Integration.Identity;

/// <summary>A person of the test's own, with a password that they have chosen.</summary>
internal sealed class Person
{
    public const string Password = "a password that nobody has";

    private readonly VerbatimHost _host;
    private long _step;

    private Person(VerbatimHost host, Guid id, string email)
    {
        _host = host;
        Id = id;
        Email = email;
    }

    public Guid Id { get; }

    public string Email { get; }

    /// <summary>The secret of their authenticator, in base32, once it is set up.</summary>
    public string? Secret { get; private set; }

    public IReadOnlyList<string> RecoveryCodes { get; private set; } = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<Person> CreateAsync(VerbatimHost host, string role = "user")
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var email = $"{role}-{Guid.NewGuid():N}@example.org";
        var created = await ReadAsync(
            await administrator.PostAsJsonAsync("/api/users", new { email, role }, Cancellation)
        );
        var oneTime = created["oneTimePassword"]!.GetValue<string>();
        await host.ChoosePasswordAsync(email, oneTime, Password, Cancellation);
        return new Person(host, created["id"]!.GetValue<Guid>(), email);
    }

    /// <summary>An attempt to log in, at this host or another on the same database.</summary>
    public async Task<HttpResponseMessage> TryAsync(string password = Password, VerbatimHost? at = null)
    {
        using var anyone = (at ?? _host).AsAnyone();
        return await anyone.PostAsJsonAsync("/api/auth/login", new { email = Email, password }, Cancellation);
    }

    /// <summary>A client of theirs; with the second factor, if there is one.</summary>
    public async Task<HttpClient> LogInAsync(VerbatimHost? at = null)
    {
        var host = at ?? _host;
        using var response = await TryAsync(at: host);
        if (Secret is null)
            return host.As((await ReadAsync(response))["accessToken"]!.GetValue<string>());
        var challenge = (await ReadAnyAsync(response))["challenge"]!.GetValue<string>();
        using var proved = await ProveAsync(challenge, NextCode(), host);
        return host.As((await ReadAsync(proved))["accessToken"]!.GetValue<string>());
    }

    public async Task<HttpResponseMessage> ProveAsync(string challenge, string code, VerbatimHost? at = null)
    {
        using var anyone = (at ?? _host).AsAnyone();
        return await anyone.PostAsJsonAsync("/api/auth/login/second-factor", new { challenge, code }, Cancellation);
    }

    public async Task EnrolAsync(HttpClient own)
    {
        var begun = await ReadAsync(
            await own.PostAsJsonAsync("/api/auth/second-factor", new { currentPassword = Password }, Cancellation)
        );
        Secret = begun["secret"]!.GetValue<string>();
        var confirmed = await ReadAsync(
            await own.PostAsJsonAsync("/api/auth/second-factor/confirmation", new { code = NextCode() }, Cancellation)
        );
        RecoveryCodes = [.. confirmed["recoveryCodes"]!.AsArray().Select(c => c!.GetValue<string>())];
    }

    /// <summary>A code that was not used yet. The server takes one step ahead of the clock, so two in a row need no waiting.</summary>
    public string NextCode()
    {
        var present = Totp.StepAt(TimeProvider.System.GetUtcNow());
        _step = Math.Max(_step + 1, present - 1);
        return CodeAt(_step);
    }

    /// <summary>The code at so many steps from now.</summary>
    public string CodeIn(int steps) => CodeAt(Totp.StepAt(TimeProvider.System.GetUtcNow()) + steps);

    /// <summary>Has all delays of a host end so much later, or earlier: instead of waiting, or of being quick enough.</summary>
    public static async Task ShiftDelaysAsync(VerbatimHost host, TimeSpan by)
    {
        await using var source = NpgsqlDataSource.Create(host.ConnectionString);
        await using var command = source.CreateCommand("update identity.login_attempts set until = until + $1");
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = by });
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>The body of a successful answer.</summary>
    public static async Task<JsonNode> ReadAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        return response.IsSuccessStatusCode
            ? JsonNode.Parse(text)!
            : throw new InvalidOperationException($"{(int)response.StatusCode} {text}");
    }

    /// <summary>The body of any answer.</summary>
    public static async Task<JsonNode> ReadAnyAsync(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!;

    public static async Task<string?> CodeOfAsync(HttpResponseMessage response) =>
        (await ReadAnyAsync(response))["code"]?.GetValue<string>();

    /// <summary>The code of an authenticator with this secret, so many steps from now.</summary>
    public static string CodeOf(string secret, int steps) =>
        Totp.CodeOf(FromBase32(secret), Totp.StepAt(TimeProvider.System.GetUtcNow()) + steps);

    private string CodeAt(long step) => Totp.CodeOf(FromBase32(Secret!), step);

    private static byte[] FromBase32(string text)
    {
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        var bytes = new List<byte>();
        var (buffer, bits) = (0, 0);
        foreach (var c in text)
        {
            buffer = ((buffer << 5) | Alphabet.IndexOf(c, StringComparison.Ordinal)) & 0xffff;
            bits += 5;
            if (bits < 8)
                continue;
            bits -= 8;
            bytes.Add((byte)(buffer >> bits));
        }
        return [.. bytes];
    }
}
