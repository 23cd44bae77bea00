using Microsoft.Extensions.Configuration;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Evidence.Anchors;

namespace Verbatim.Tests.Unit.Evidence;

public sealed class AnchorTargetsTests
{
    [Theory]
    [InlineData("Evidence:Anchor:Webhook", "example.com/checkpoints", "https://example.com/checkpoints")]
    [InlineData("Evidence:Anchor:Webhook", "ftp://example.com", "https://example.com/checkpoints")]
    [InlineData("Evidence:Anchor:Webhook", "https://me:secret@example.com", "without a user name")]
    [InlineData("Evidence:Anchor:WebhookToken", "a-token", "Evidence:Anchor:Webhook is not")]
    [InlineData("Evidence:Anchor:WebhookSecret", "a secret of some length", "Evidence:Anchor:Webhook is not")]
    [InlineData("Evidence:Anchor:File", "kept.txt", "a whole path")]
    [InlineData("Evidence:Anchor:File", "/no/such/folder/kept.txt", "a folder that exists")]
    public void A_wrong_setting_is_told_in_a_sentence_that_says_what_is_valid(string name, string value, string valid)
    {
        var e = Assert.Throws<SettingException>(() => Read((name, value)));

        Assert.StartsWith(name, e.Message, StringComparison.Ordinal);
        Assert.Contains(valid, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Evidence:Anchor:WebhookToken", "two words")]
    [InlineData("Evidence:Anchor:WebhookSecret", "too short")]
    public void A_credential_that_cannot_be_used_is_told_without_showing_it(string name, string value)
    {
        var e = Assert.Throws<SettingException>(() =>
            Read(("Evidence:Anchor:Webhook", "https://example.com/a"), (name, value))
        );

        Assert.StartsWith(name, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(value, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_stored_and_logged_of_a_webhook_holds_no_secret()
    {
        var target = Assert.Single(
            Read(("Evidence:Anchor:Webhook", "https://hooks.example.com/services/T0/very-secret"))
        );

        Assert.DoesNotContain("very-secret", target.Id + target.Name, StringComparison.Ordinal);
        Assert.Contains("hooks.example.com", target.Name, StringComparison.Ordinal);
        Assert.Empty(Read());
    }

    private static IReadOnlyList<IAnchorTarget> Read(params (string Name, string Value)[] settings) =>
        new AnchorTargets(
            new ConfigurationBuilder()
                .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value)))
                .Build()
        ).All;
}
