using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Tests.Unit.Identity.Tokens;

public sealed class KeyScheduleTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SigningKey First = SigningKey.Generate();
    private static readonly SigningKey Second = SigningKey.Generate();

    private static readonly KeySchedule Schedule = new([
        new KeySchedule.Slot(Second, Start.AddMinutes(10)),
        new KeySchedule.Slot(First, Start),
    ]);

    [Fact]
    public void A_new_key_is_published_before_it_signs()
    {
        var moment = Schedule.At(Start.AddMinutes(10).AddTicks(-1));

        Assert.Equal(First.KeyId, moment.Current.KeyId);
        Assert.Equal([First.KeyId, Second.KeyId], IdsOf(moment));
        Assert.Equal(Start.AddMinutes(10), moment.Until);
    }

    [Fact]
    public void The_old_key_verifies_until_its_tokens_have_ended()
    {
        var ends = Start.AddMinutes(10) + KeySchedule.Overlap;

        var before = Schedule.At(ends.AddTicks(-1));
        var after = Schedule.At(ends);

        Assert.Equal(Second.KeyId, before.Current.KeyId);
        Assert.Equal([First.KeyId, Second.KeyId], IdsOf(before));
        Assert.Equal(ends, before.Until);
        Assert.Equal([Second.KeyId], IdsOf(after));
        Assert.Equal(DateTimeOffset.MaxValue, after.Until);
    }

    [Fact]
    public void A_key_whose_time_has_not_come_signs_where_there_is_no_other() =>
        Assert.Equal(First.KeyId, Schedule.At(Start.AddDays(-1)).Current.KeyId);

    [Fact]
    public void A_key_of_age_is_replaced_once_and_what_verifies_nothing_is_retired()
    {
        var ring = Evolve(new SigningKeyPublished("old", Start, Start));
        var maxAge = TimeSpan.FromDays(90);
        var ahead = TimeSpan.FromMinutes(10);
        var day90 = Start.AddDays(90);

        Assert.Empty(SigningKeyRotation.Decide(ring, "new", day90.AddTicks(-1), ahead, maxAge));
        var published = Assert.Single(SigningKeyRotation.Decide(ring, "new", day90, ahead, maxAge));
        Assert.Equal(new SigningKeyPublished("new", day90, day90 + ahead), published);
        ring = SigningKeyRing.Evolve(ring, published);

        var end = day90 + ahead + KeySchedule.Overlap;
        Assert.Empty(SigningKeyRotation.Decide(ring, "newer", end.AddTicks(-1), ahead, maxAge));
        var retired = Assert.Single(SigningKeyRotation.Decide(ring, "newer", end, ahead, maxAge));
        Assert.Equal(new SigningKeyRetired("old", end), retired);
        Assert.Equal(["new"], SigningKeyRing.Evolve(ring, retired).Keys.Select(k => k.KeyId));
    }

    [Fact]
    public void Without_an_age_no_key_is_replaced_by_itself() =>
        Assert.Empty(
            SigningKeyRotation.Decide(
                Evolve(new SigningKeyPublished("old", Start, Start)),
                "new",
                Start.AddYears(10),
                TimeSpan.FromMinutes(10),
                maxAge: null
            )
        );

    [Theory]
    [InlineData("https://ai.example.com", true)]
    [InlineData("https://ai.example.com:8443", true)]
    [InlineData("http://localhost:8080", true)]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("http://[::1]:8080", true)]
    [InlineData("http://ai.example.com", false)]
    [InlineData("https://ai.example.com/", false)]
    [InlineData("https://ai.example.com/path", false)]
    [InlineData("https://ai.example.com?query", false)]
    [InlineData("https://ai.example.com#fragment", false)]
    [InlineData("https://user@ai.example.com", false)]
    [InlineData("HTTPS://ai.example.com", false)]
    [InlineData("ai.example.com", false)]
    [InlineData("urn:verbatim", false)]
    public void An_issuer_is_an_https_address_or_one_of_this_machine(string issuer, bool isValid) =>
        Assert.Equal(isValid, Issuer.IsValid(issuer));

    [Theory]
    [InlineData("http://0.0.0.0:8080", "http://localhost:8080")]
    [InlineData("http://[::]:8080", "http://localhost:8080")]
    [InlineData("http://*:8080", "http://localhost:8080")]
    [InlineData("https://+:8443/", "https://localhost:8443")]
    [InlineData("http://127.0.0.1:5000", "http://127.0.0.1:5000")]
    public void A_server_that_was_given_no_issuer_is_called_by_its_own_address(string bound, string issuer) =>
        Assert.Equal(issuer, Issuer.OfBound(bound));

    private static SigningKeyRing Evolve(params IEnumerable<SigningKeyPublished> events) =>
        events.Aggregate((SigningKeyRing?)null, SigningKeyRing.Evolve)!;

    private static IEnumerable<string> IdsOf(KeySchedule.Moment moment) =>
        moment.Public.Keys.ToArray().Select(k => k.KeyId);
}
