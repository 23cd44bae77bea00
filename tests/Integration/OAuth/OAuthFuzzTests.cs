using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.WebUtilities;

namespace Verbatim.Tests.Integration.OAuth;

/// <summary>Whatever is sent, the answer is one that the protocol knows, and never a fault of the server's.</summary>
public sealed class OAuthFuzzTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private const int Cases = 300;

    private static readonly string[] Names =
    [
        "client_id",
        "client_secret",
        "client_assertion",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "login_hint",
        "login_after",
        "request_uri",
        "grant_type",
        "code",
        "code_verifier",
        "refresh_token",
        "token",
        "token_type_hint",
        "id_token_hint",
        "post_logout_redirect_uri",
        "request",
        "answer",
        "confirm",
        "csrf",
    ];

    private static readonly string[] Codes =
    [
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_token",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_form_makes_an_endpoint_fail_or_answer_with_an_unknown_code()
    {
        using var dance = await OAuthDance.StartAsync(host);
        var faults = new List<string>();
        foreach (var form in Samples(dance, seed: 1))
        {
            foreach (var path in (string[])["/oauth/token", "/oauth/revoke", "/oauth/introspect"])
            {
                using var content = new StringContent(Encode(form));
                content.Headers.ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded");
                using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
                if (form.Count % 2 == 0)
                    request.Headers.TryAddWithoutValidation("Authorization", BasicOf(dance, form.Count));
                using var client = host.AsAnyone();
                using var response = await client.SendAsync(request, Cancellation);
                var text = await response.Content.ReadAsStringAsync(Cancellation);
                var code = text.Length > 0 ? JsonNode.Parse(text)!["error"]?.GetValue<string>() : null;
                if (
                    (int)response.StatusCode >= 500
                    || (response.StatusCode != HttpStatusCode.OK && !Codes.Contains(code, StringComparer.Ordinal))
                )
                    faults.Add($"{path} {Encode(form)}: {(int)response.StatusCode} {text}");
            }
        }

        Assert.Empty(faults);
    }

    [Fact]
    public async Task No_query_makes_a_page_fail_or_sends_a_person_to_an_address_that_is_not_the_clients()
    {
        using var dance = await OAuthDance.StartAsync(host);
        var faults = new List<string>();
        foreach (var query in Samples(dance, seed: 2))
        {
            foreach (var path in (string[])["/oauth/authorize", "/oauth/logout"])
            {
                using var response = await dance.Browser.GetAsync($"{path}?{Encode(query)}", Cancellation);
                var location = response.Headers.Location?.ToString();
                var isOurs =
                    location is null
                    || location.StartsWith("/login?", StringComparison.Ordinal)
                    || location.StartsWith(OAuthDance.RedirectUri + "?", StringComparison.Ordinal)
                    || location.StartsWith("http://127.0.0.1", StringComparison.Ordinal)
                    || location.StartsWith("https://app.example.com/bye", StringComparison.Ordinal);
                if ((int)response.StatusCode >= 500 || !isOurs)
                    faults.Add($"{path}?{Encode(query)}: {(int)response.StatusCode} {location}");
            }
            using var form = new StringContent(Encode(query));
            form.Headers.ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded");
            foreach (var path in (string[])["/oauth/authorize", "/oauth/consent", "/oauth/logout"])
            {
                using var response = await dance.Browser.PostAsync(new Uri(path, UriKind.Relative), form, Cancellation);
                if ((int)response.StatusCode >= 500)
                    faults.Add($"POST {path} {Encode(query)}: {(int)response.StatusCode}");
            }
        }

        Assert.Empty(faults);
    }

    [Fact]
    public async Task No_bearer_text_makes_userinfo_fail()
    {
        using var client = host.AsAnyone();
        foreach (var text in Texts().Sample(Cases))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/oauth/userinfo");
            request.Headers.TryAddWithoutValidation(
                "Authorization",
                "Bearer " + new string([.. text.Where(c => c is >= ' ' and <= '~')])
            );
            using var response = await client.SendAsync(request, Cancellation);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }

    // Sound requests with some of their parts replaced, doubled or left out.
    private static List<KeyValuePair<string, string>>[] Samples(OAuthDance dance, int seed)
    {
        var sound = QueryHelpers
            .ParseQuery(dance.AuthorizeUrl()[("/oauth/authorize".Length)..])
            .Select(p => KeyValuePair.Create(p.Key, p.Value.ToString()))
            .Append(KeyValuePair.Create("client_secret", dance.Secret!))
            .Append(KeyValuePair.Create("code_verifier", OAuthDance.Verifier))
            .Append(KeyValuePair.Create("post_logout_redirect_uri", "https://app.example.com/bye"))
            .ToList();
        var parts =
            from name in Gen.Elements(Names)
            from value in Gen.OneOf(Texts(), Gen.Elements(sound.Select(s => s.Value)), Gen.Elements(KnownValues))
            select KeyValuePair.Create(name, value);
        var requests =
            from kept in Gen.SubListOf<KeyValuePair<string, string>>(sound)
            from added in parts.ListOf()
            select kept.Where(k => added.Count % 3 == 0 || added.All(a => a.Key != k.Key))
                .Concat(added.Take(6))
                .ToList();
        return [.. requests.Sample(Cases, seed + 20)];
    }

    private static readonly string[] KnownValues =
    [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "code",
        "S256",
        "none",
        "login consent",
        "vr_" + new string('a', 43),
        "vc_" + new string('a', 43),
        "vr_" + new string('ä', 190),
        "eyJhbGciOiJub25lIn0.e30.",
        "0",
        "99999999999999999999",
    ];

    private static Gen<string> Texts() => ArbMap.Default.ArbFor<string>().Generator.Select(t => t ?? "");

    private static string Encode(IEnumerable<KeyValuePair<string, string>> parameters) =>
        string.Join('&', parameters.Select(p => $"{p.Key}={Uri.EscapeDataString(WithoutHalves(p.Value))}"));

    private static string WithoutHalves(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static string BasicOf(OAuthDance dance, int choice) =>
        (choice % 4) switch
        {
            0 => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{dance.ClientId}:{dance.Secret}")),
            2 => "Basic !!!",
            _ => "Digest x",
        };
}
