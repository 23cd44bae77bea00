using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace Verbatim.Tests.Integration.Identity;

/// <summary>Whatever is sent to the doors, in bodies, headers, cookies and forms, is answered, and never as a fault of ours.</summary>
public sealed class FuzzTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static readonly string[] Paths =
    [
        "/api/auth/login",
        "/api/auth/login/second-factor",
        "/api/auth/refresh",
        "/api/auth/password-reset",
        "/api/auth/password-reset/confirmation",
        "/login",
        "/login/second-factor",
        "/login/organization",
        "/logout",
        "/password-reset",
        "/password-reset/choose",
        "/account/password",
        "/account/second-factor/confirmation",
    ];

    private static readonly string[] Fields =
    [
        "email",
        "password",
        "challenge",
        "code",
        "refreshToken",
        "token",
        "newPassword",
        "organizationId",
        "cookie",
        "formToken",
        "returnTo",
        "csrf",
    ];

    private sealed record Sent(
        string Path,
        string ContentType,
        byte[] Body,
        string? Authorization,
        string? Cookie,
        string Query
    );

    private static Gen<string> Text =>
        Gen.OneOf(
            Gen.Elements(
                "",
                " ",
                "admin@localhost",
                "\0",
                "\ud800",
                "'; drop table users; --",
                "\u202e",
                "../../etc/passwd",
                "null",
                new string('a', 5000),
                "vr_" + new string('0', 43),
                "vl_" + new string('0', 43),
                "vp_" + new string('0', 43),
                "vk_" + new string('0', 43),
                "eyJhbGciOiJub25lIn0.e30.",
                "AAAA",
                "00000000-0000-0000-0000-000000000000"
            ),
            ArbMap.Default.GeneratorFor<string>().Select(s => s ?? "")
        );

    private static Gen<object?> Value =>
        Gen.OneOf(
            Text.Select(t => (object?)t),
            Gen.Elements<object?>(null, true, 0, -1, 1e308, Array.Empty<int>(), new { a = 1 })
        );

    private static Gen<byte[]> Json =>
        from names in Gen.SubListOf(Fields)
        from values in Gen.ArrayOf(Value, names.Count)
        select Encode(names.Zip(values));

    private static Gen<byte[]> Form =>
        from names in Gen.SubListOf(Fields)
        from values in Gen.ArrayOf(Text, names.Count)
        select Encoding.UTF8.GetBytes(
            string.Join('&', names.Zip(values).Select(p => $"{p.First}={WebEscape(p.Second)}"))
        );

    private static Gen<byte[]> Noise => Gen.ArrayOf(ArbMap.Default.GeneratorFor<byte>());

    private static Gen<Sent> Requests =>
        from path in Gen.Elements(Paths)
        from type in Gen.Elements(
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/plain"
        )
        from body in type == "application/json" ? Gen.Frequency((6, Json), (1, Noise))
        : type == "application/x-www-form-urlencoded" ? Gen.Frequency((6, Form), (1, Noise))
        : Noise
        from authorization in Gen.Frequency(
            (3, Gen.Constant<string?>(null)),
            (1, Text.Select(t => (string?)$"Bearer {t}"))
        )
        from cookie in Gen.Frequency(
            (2, Gen.Constant<string?>(null)),
            (1, Text.Select(t => (string?)$"verbatim={t}; verbatim-form={t}"))
        )
        from query in Gen.Frequency(
            (3, Gen.Constant("")),
            (1, Text.Select(t => $"?returnTo={WebEscape(t)}&token={WebEscape(t)}"))
        )
        select new Sent(path, type, body, authorization, cookie, query);

    [Fact]
    public void No_request_to_the_doors_is_answered_with_a_fault()
    {
        using var client = host.AsAnyone();
        var property = Prop.ForAll(
            Arb.From(Requests),
            sent =>
            {
                var status = Task.Run(() => SendAsync(client, sent)).GetAwaiter().GetResult();
                return status is < 500 or 503;
            }
        );

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(250).WithQuietOnSuccess(true), property);
    }

    private static async Task<int> SendAsync(HttpClient client, Sent sent)
    {
        var isRead = sent.Body.Length == 0;
        using var request = new HttpRequestMessage(isRead ? HttpMethod.Get : HttpMethod.Post, sent.Path + sent.Query);
        if (!isRead)
        {
            request.Content = new ByteArrayContent(sent.Body);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(sent.ContentType);
        }
        if (sent.Authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", Printable(sent.Authorization));
        if (sent.Cookie is not null)
            request.Headers.TryAddWithoutValidation("Cookie", Printable(sent.Cookie));
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }

    // What a client can put into a header at all.
    private static string Printable(string text) => string.Concat(text.Where(c => c is >= ' ' and <= '~'));

    private static string WebEscape(string text) =>
        System.Net.WebUtility.UrlEncode(text.Replace("\ud800", "%ED%A0%80", StringComparison.Ordinal));

    private static byte[] Encode(IEnumerable<(string Name, object? Value)> fields)
    {
        var pairs = fields.Select(f =>
            $"\"{f.Name}\":{(f.Value is string text ? Quote(text) : JsonSerializer.Serialize(f.Value))}"
        );
        return Encoding.UTF8.GetBytes("{" + string.Join(',', pairs) + "}");
    }

    // Lone surrogates go as escapes, which JSON allows and UTF-8 does not.
    private static string Quote(string text) => '"' + string.Concat(text.Select(c => $"\\u{(int)c:x4}")) + '"';
}
