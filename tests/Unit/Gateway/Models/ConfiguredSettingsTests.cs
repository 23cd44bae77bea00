using Microsoft.Extensions.Configuration;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Models.Configured;
using Verbatim.Platform.Configuration;

namespace Verbatim.Tests.Unit.Gateway.Models;

public sealed class ConfiguredSettingsTests
{
    [Theory]
    [InlineData("Gateway:Deployments:e:Kind", "toaster", "Gateway:Deployments:e:Kind is 'toaster'")]
    [InlineData("Gateway:Deployments:d:Provider", "nobody", "Gateway:Deployments:d:Provider is 'nobody'")]
    [InlineData("Gateway:Deployments:e:Model", "a*b", "Gateway:Deployments:e:Model is 'a*b'")]
    [InlineData("Gateway:Deployments:e:Weight", "0", "Gateway:Deployments:e: Weight is 0")]
    [InlineData(
        "Gateway:Deployments:e:IdleTimeout",
        "00:00:00",
        "Gateway:Deployments:e: FirstByteTimeout, IdleTimeout"
    )]
    [InlineData("Gateway:Deployments:e:Prices:0:Input", "-1", "Gateway:Deployments:e: A price is 0")]
    [InlineData("Gateway:Deployments:e:Colour", "blue", "Colour")]
    [InlineData("Gateway:Providers:p:Kind", "openai-compatible", "Gateway:Providers:p:BaseUrl")]
    [InlineData("Gateway:Providers:p:BaseUrl", "ftp://x", "Gateway:Providers:p:BaseUrl is 'ftp://x'")]
    [InlineData("Gateway:Models:m:Tiers:0:nobody", "1", "Gateway:Models:m:Tiers names 'nobody'")]
    [InlineData("Gateway:Models:m:Description", "without tiers", "Gateway:Models:m:Tiers")]
    [InlineData("Gateway:MaxAttempts", "11", "Gateway:MaxAttempts is 11")]
    [InlineData("Gateway:OllamaUrl", "here", "Gateway:OllamaUrl is 'here'")]
    public void A_wrong_setting_is_named(string setting, string value, string named)
    {
        var wrong = Assert.Throws<SettingException>(() =>
            Read(("Gateway:Deployments:e:BaseUrl", "http://x/v1"), (setting, value))
        );

        Assert.Contains(named, wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_deployment_with_an_address_has_a_provider_of_its_own()
    {
        var read = Read(("Gateway:Deployments:d:BaseUrl", "http://x/v1/"), ("Gateway:Deployments:d:ApiKey", "k"));

        var provider = Assert.Single(read.Providers);
        Assert.Equal(("d", "http://x/v1", "k"), (provider.Terms.Name, provider.Terms.BaseUrl, provider.Credential));
        Assert.Equal("d", Assert.Single(read.Deployments).Provider);
        Assert.Equal(Audience.AllOrganizations, read.Deployments[0].Terms.Visibility.Audience);
        Assert.Equal("Gateway:Deployments:d", provider.ToString());
    }

    [Fact]
    public void A_key_alone_is_enough_and_keys_do_not_take_each_others_models()
    {
        Assert.Equal(["*"], Patterns(("OPENAI_API_KEY", "k")));
        Assert.Equal(["claude-*"], Patterns(("ANTHROPIC_API_KEY", "k")));
        Assert.Equal(["*"], Patterns(("OPENROUTER_API_KEY", "k")));
        var all = Patterns(("OPENAI_API_KEY", "k"), ("ANTHROPIC_API_KEY", "k"), ("OPENROUTER_API_KEY", "k"));
        Assert.Single(all, "*");
        Assert.Contains("meta-llama/*", all);
        Assert.Equal(all.Distinct(), all);

        static IReadOnlyList<string> Patterns(params (string, string)[] settings) =>
            [.. Read(settings).Deployments.Select(d => d.Terms.Model)];
    }

    [Fact]
    public void What_stands_at_another_address_than_OpenAIs_is_only_compatible()
    {
        Assert.Equal("openai", Read(("OPENAI_API_KEY", "k")).Providers[0].Terms.Kind);
        var other = Read(("OPENAI_API_KEY", "k"), ("OPENAI_BASE_URL", "http://x/v1")).Providers[0].Terms;
        Assert.Equal(("openai-compatible", "http://x/v1"), (other.Kind, other.BaseUrl));
        var anthropic = Read(("ANTHROPIC_API_KEY", "k"), ("ANTHROPIC_BASE_URL", "http://x")).Providers[0].Terms;
        Assert.Equal("http://x/v1", anthropic.BaseUrl);
    }

    private static ConfiguredSettings Read(params (string Name, string Value)[] settings) =>
        new(
            new ConfigurationBuilder()
                .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create<string, string?>(s.Name, s.Value)))
                .Build()
        );
}
