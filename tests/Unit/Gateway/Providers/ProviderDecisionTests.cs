using Verbatim.Modules.Gateway.Providers;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Gateway.Providers;

public sealed class ProviderDecisionTests
{
    private static readonly Guid Id = Guid.NewGuid();
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 30, 0, TimeSpan.Zero);

    private static readonly RegisteredProvider Plain = RegisteredProvider.Evolve(
        null,
        new ProviderRegistered(
            new ProviderTerms("p", "openai", "https://api.example.com/v1", null, TimeSpan.FromSeconds(10)),
            SetBy: null,
            Now
        )
    );

    private static readonly RegisteredProvider Keyed = RegisteredProvider.Evolve(
        Plain,
        new ProviderCredentialReplaced("1234")
    );

    [Fact]
    public void The_same_again_records_nothing() =>
        Assert.Equal(Decision.Nothing, ChangeProvider.Decide(Keyed, new ChangeProviderRequest(Name: "p"), null));

    [Fact]
    public void A_credential_is_not_sent_to_a_server_that_it_was_not_given_for()
    {
        var elsewhere = new ChangeProviderRequest(BaseUrl: "https://evil.example.net/v1");

        Assert.Equal("gateway.credential-needed", CodeOf(ChangeProvider.Decide(Keyed, elsewhere, null)));
        Assert.Null(CodeOf(ChangeProvider.Decide(Plain, elsewhere, null)));
        Assert.Null(CodeOf(ChangeProvider.Decide(Keyed, elsewhere with { ApiKey = "a-new-credential" }, Write)));
        Assert.Null(
            CodeOf(ChangeProvider.Decide(Keyed, new ChangeProviderRequest(BaseUrl: "https://api.example.com/v2"), null))
        );
        Assert.NotNull(
            CodeOf(ChangeProvider.Decide(Keyed, new ChangeProviderRequest(BaseUrl: "http://api.example.com/v1"), null))
        );
        Assert.NotNull(
            CodeOf(
                ChangeProvider.Decide(
                    Keyed,
                    new ChangeProviderRequest(BaseUrl: "https://api.example.com:8443/v1"),
                    null
                )
            )
        );
    }

    [Theory]
    [InlineData("ftp://example.com")]
    [InlineData("not an address")]
    [InlineData("https://user:secret@example.com/v1")]
    [InlineData("https://example.com/v1?key=1")]
    [InlineData("https://example.com/v1#x")]
    public void An_address_carries_nothing_but_the_place(string address) =>
        Assert.Equal(
            "gateway.invalid-base-url",
            CodeOf(ChangeProvider.Decide(Plain, new ChangeProviderRequest(BaseUrl: address), null))
        );

    [Fact]
    public void What_configuration_has_set_is_changed_and_deleted_there()
    {
        var configured = Plain with { SetBy = "Gateway:Providers:p" };

        foreach (
            var decision in new[]
            {
                ChangeProvider.Decide(configured, new ChangeProviderRequest(Name: "q"), null),
                DeleteProvider.Decide(configured, Id, [], Now),
            }
        )
            Assert.Equal("gateway.set-by-configuration", CodeOf(decision));
    }

    [Fact]
    public void A_provider_that_has_deployments_is_not_deleted()
    {
        var refusal = ((Decision.Refusing)DeleteProvider.Decide(Plain, Id, ["mini", "large"], Now)).Refusal;

        Assert.Equal(RefusalKind.Conflict, refusal.Kind);
        Assert.Contains("'mini', 'large'", refusal.Message, StringComparison.Ordinal);
        Assert.Null(CodeOf(DeleteProvider.Decide(Plain, Id, [], Now)));
    }

    [Fact]
    public void A_deleted_provider_is_not_there()
    {
        var deleted = RegisteredProvider.Evolve(Keyed, new ProviderDeleted(Now));

        Assert.Equal("gateway.provider-not-found", CodeOf(DeleteProvider.Decide(deleted, Id, [], Now)));
        Assert.Equal(
            "gateway.provider-not-found",
            CodeOf(ChangeProvider.Decide(deleted, new ChangeProviderRequest(Name: "q"), null))
        );
        Assert.Throws<UnexpectedEventException>(() =>
            RegisteredProvider.Evolve(deleted, new ProviderChanged(Plain.Terms))
        );
    }

    [Fact]
    public void Of_a_short_credential_nothing_is_shown()
    {
        Assert.Null(SealedProviderCredentials.HintOf("sk-short"));
        Assert.Equal("6789", SealedProviderCredentials.HintOf("sk-0123456789-0123456789"));
    }

    [Fact]
    public void A_request_that_is_printed_does_not_show_its_credential()
    {
        const string Credential = "sk-canary-0123456789";

        Assert.DoesNotContain(
            Credential,
            new CreateProviderRequest("p", "openai", ApiKey: Credential).ToString(),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            Credential,
            new ChangeProviderRequest(ApiKey: Credential).ToString(),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            Credential,
            new ValidateNewProviderRequest("openai", ApiKey: Credential).ToString(),
            StringComparison.Ordinal
        );
    }

    private static SqlWrite Write => SealedProviderCredentials.Delete(Id);

    private static string? CodeOf(Decision decision) => (decision as Decision.Refusing)?.Refusal.Code;
}
