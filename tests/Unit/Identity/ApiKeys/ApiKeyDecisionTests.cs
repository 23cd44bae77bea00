using Verbatim.Contracts;
using Verbatim.Modules.Identity.ApiKeys;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Tests.Unit.Identity.ApiKeys;

public sealed class ApiKeyDecisionTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    private static readonly Guid Ada = Guid.CreateVersion7();

    private static readonly ApiKey Key = ApiKey.Evolve(
        null,
        new ApiKeyCreated(
            "a key",
            "vk_first",
            [Scopes.ApiKeysWrite, Scopes.ModelsRead],
            Ada,
            PrincipalKind.User,
            ProjectId: null,
            AllowedAddresses: [],
            Now,
            ExpiresAt: null
        )
    );

    [Fact]
    public void A_rotation_keeps_the_secret_from_before_for_its_grace_and_no_other()
    {
        var once = ApiKey.Evolve(Key, new ApiKeyRotated("vk_secon", Now, Now.AddHours(1)));
        var twice = ApiKey.Evolve(once, new ApiKeyRotated("vk_third", Now, Now.AddHours(2)));

        Assert.Equal(("vk_secon", "vk_first"), (once.Prefix, once.Rotation!.OldPrefix));
        Assert.Equal(("vk_third", "vk_secon"), (twice.Prefix, twice.Rotation!.OldPrefix));
        Assert.True(once.IsInGrace(Now.AddMinutes(59)));
        Assert.False(once.IsInGrace(Now.AddHours(1)));
        Assert.Null(ApiKey.Evolve(once, new ApiKeyGraceEnded(Now)).Rotation);
        Assert.Equal(Decision.Nothing, EndApiKeyGrace.Decide(once, Guid.Empty, Guid.Empty, Now.AddHours(1)));
        Assert.NotEqual(Decision.Nothing, EndApiKeyGrace.Decide(once, Guid.Empty, Guid.Empty, Now));
    }

    [Fact]
    public void Nobody_is_given_the_secret_of_another_person_s_key()
    {
        var own = CallerOf(Ada, Key.Scopes);
        var administrator = CallerOf(Guid.CreateVersion7(), Scopes.All);
        var ofMachine = Key with { PrincipalKind = PrincipalKind.ServiceAccount };

        Assert.Null(RefusalOf(Rotate(Key, own)));
        Assert.Equal("identity.not-your-api-key", RefusalOf(Rotate(Key, administrator)));
        Assert.Null(RefusalOf(Rotate(ofMachine, administrator)));
        Assert.Equal(
            "identity.not-your-api-key",
            RefusalOf(Rotate(ofMachine, CallerOf(Guid.CreateVersion7(), [Scopes.ApiKeysWrite, Scopes.ModelsRead])))
        );
        Assert.Equal("identity.scope-beyond-yours", RefusalOf(Rotate(Key, CallerOf(Ada, [Scopes.ApiKeysWrite]))));
    }

    [Fact]
    public void What_has_ended_is_not_rotated_or_changed()
    {
        var caller = CallerOf(Ada, Scopes.All);
        var expired = Key with { ExpiresAt = Now };
        var revoked = ApiKey.Evolve(Key, new ApiKeyRevoked(Now));

        foreach (var key in (ApiKey[])[expired, revoked])
        {
            Assert.Equal("identity.api-key-ended", RefusalOf(Rotate(key, caller)));
            Assert.Equal("identity.api-key-ended", RefusalOf(Change(key, caller, new ChangeApiKeyRequest("x"))));
        }
        Assert.Equal(Decision.Nothing, RevokeApiKey.Decide(revoked, Guid.Empty, Guid.Empty, Now));
    }

    [Fact]
    public void A_change_adds_no_scope_that_the_caller_has_not_but_keeps_those_that_are_there()
    {
        var caller = CallerOf(Ada, [Scopes.ApiKeysWrite, Scopes.AccountRead]);

        Assert.Null(
            RefusalOf(Change(Key, caller, new ChangeApiKeyRequest(Scopes: [Scopes.ModelsRead, Scopes.AccountRead])))
        );
        Assert.Equal(
            "identity.scope-beyond-yours",
            RefusalOf(Change(Key, caller, new ChangeApiKeyRequest(Scopes: [Scopes.AuditRead])))
        );
        Assert.Equal(
            "identity.unknown-scope",
            RefusalOf(Change(Key, caller, new ChangeApiKeyRequest(Scopes: ["everything"])))
        );
        Assert.Equal("identity.no-scope", RefusalOf(Change(Key, caller, new ChangeApiKeyRequest(Scopes: []))));
        Assert.Equal(
            "identity.expiry-in-the-past",
            RefusalOf(Change(Key, caller, new ChangeApiKeyRequest(ExpiresAt: Now)))
        );
        Assert.Equal(
            "identity.expiry-twice",
            RefusalOf(Change(Key, caller, new ChangeApiKeyRequest(ExpiresAt: Now.AddDays(1), NeverExpires: true)))
        );
        Assert.Equal(Decision.Nothing, Change(Key, caller, new ChangeApiKeyRequest("a key", Key.Scopes)));
    }

    [Fact]
    public void A_key_from_before_service_accounts_belongs_to_its_person()
    {
        var old = new Modules.Identity.ApiKeys.History.ApiKeyCreatedV1(
            "old",
            "vk_old",
            ["models:read"],
            Ada,
            Now,
            null
        );

        var key = ApiKey.Evolve(null, old.Upcast());

        Assert.Equal((Ada, PrincipalKind.User), (key.PrincipalId, key.PrincipalKind));
        Assert.Empty(key.AllowedAddresses);
    }

    private static Decision Rotate(ApiKey key, Caller caller) =>
        RotateApiKey.Decide(key, caller, Guid.Empty, "vk_another", TimeSpan.Zero, Now);

    private static Decision Change(ApiKey key, Caller caller, ChangeApiKeyRequest request) =>
        ChangeApiKey.Decide(key, caller, request, Now);

    private static Caller CallerOf(Guid principal, IEnumerable<string> scopes) =>
        new(Guid.CreateVersion7(), $"user:{principal}", principal, scopes.ToHashSet(StringComparer.Ordinal))
        {
            Reach = Reach.Own,
        };

    private static string? RefusalOf(Decision decision) => (decision as Decision.Refusing)?.Refusal.Code;
}
