using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Identity.OAuth.Clients;

namespace Verbatim.Tests.Unit.Identity.OAuth;

public sealed class RedirectUriTests
{
    [Theory]
    [InlineData("https://app.example.com/callback")]
    [InlineData("https://app.example.com:8443/callback?tenant=1")]
    [InlineData("http://127.0.0.1/callback")]
    [InlineData("http://127.0.0.1:8000/callback")]
    [InlineData("http://[::1]/callback")]
    [InlineData("http://localhost:3000/callback")]
    [InlineData("com.example.app:/callback")]
    [InlineData("com.example.app://callback")]
    public void What_the_rfcs_allow_is_registered(string uri) =>
        Assert.True(RedirectUri.IsRegistrable(uri, out var why), why);

    [Theory]
    [InlineData("")]
    [InlineData("/callback")]
    [InlineData("http://app.example.com/callback")]
    [InlineData("https://app.example.com/callback#fragment")]
    [InlineData("https://app.example.com/callback#")]
    [InlineData("https://user@app.example.com/callback")]
    [InlineData("https://app.example.com/*")]
    [InlineData("https:\\\\app.example.com/callback")]
    [InlineData("https:///callback")]
    [InlineData(" https://app.example.com/callback")]
    [InlineData("https://app.example.com/call\tback")]
    [InlineData("https://äpp.example.com/callback")]
    [InlineData("HTTPS://app.example.com/callback")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,hello")]
    [InlineData("file:///etc/passwd")]
    [InlineData("myapp:/callback")]
    [InlineData("urn:ietf:wg:oauth:2.0:oob")]
    public void Anything_else_is_refused_with_a_reason(string uri)
    {
        Assert.False(RedirectUri.IsRegistrable(uri, out var why));
        Assert.NotEmpty(why);
    }

    [Theory]
    [InlineData("https://app.example.com/callback", "https://app.example.com/callback", true)]
    [InlineData("https://app.example.com/callback", "https://app.example.com/callback/", false)]
    [InlineData("https://app.example.com/callback", "https://app.example.com/Callback", false)]
    [InlineData("https://app.example.com/callback", "https://app.example.com:443/callback", false)]
    [InlineData("https://app.example.com/callback", "https://app.example.com/callback?x=1", false)]
    [InlineData("https://app.example.com/callback", "https://app.example.com/a/../callback", false)]
    [InlineData("https://app.example.com/callback", "https://app.example.com.evil.example/callback", false)]
    [InlineData("http://127.0.0.1/callback", "http://127.0.0.1:51234/callback", true)]
    [InlineData("http://127.0.0.1:8000/callback", "http://127.0.0.1:51234/callback", true)]
    [InlineData("http://127.0.0.1:8000/callback", "http://127.0.0.1/callback", true)]
    [InlineData("http://[::1]:8000/callback", "http://[::1]:51234/callback", true)]
    [InlineData("http://127.0.0.1/callback", "http://127.0.0.1:51234/other", false)]
    [InlineData("http://127.0.0.1/callback", "http://127.0.0.1:0/callback", false)]
    [InlineData("http://127.0.0.1/callback", "http://127.0.0.1:65536/callback", false)]
    [InlineData("http://127.0.0.1/callback", "http://127.0.0.1:/callback", false)]
    [InlineData("http://127.0.0.1/callback", "http://127.0.0.1:80@evil.example/callback", false)]
    [InlineData("http://127.0.0.1/callback", "http://127.0.0.1.evil.example/callback", false)]
    [InlineData("http://127.0.0.1/callback", "http://[::1]/callback", false)]
    // RFC 8252 §7.3 speaks of the addresses, §8.3 advises against the name.
    [InlineData("http://localhost:3000/callback", "http://localhost:51234/callback", false)]
    [InlineData("https://127.0.0.1/callback", "https://127.0.0.1:51234/callback", false)]
    public void A_response_goes_to_exactly_what_was_registered_but_for_a_loopback_port(
        string registered,
        string requested,
        bool isSame
    ) => Assert.Equal(isSame, RedirectUri.IsAmong(requested, [registered]));

    [Fact]
    public void No_text_makes_either_question_throw() =>
        Prop.ForAll<string>(
                ArbMap.Default.ArbFor<string>(),
                text =>
                {
                    var uri = text ?? "";
                    var loopback = "http://127.0.0.1" + uri;
                    RedirectUri.IsRegistrable(uri, out _);
                    RedirectUri.IsRegistrable("https://" + uri, out _);
                    return !RedirectUri.IsAmong(loopback, ["http://127.0.0.1/only"])
                        || uri.EndsWith("/only", StringComparison.Ordinal);
                }
            )
            .QuickCheckThrowOnFailure();
}
