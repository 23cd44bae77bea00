using System.Text.Json;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Tests.Unit.Identity.Users;

public sealed class UserTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    private static readonly User Ada = User.Evolve(null, new UserCreated("ada@example.org", Role.Admin, Now));

    [Fact]
    public void Only_an_administrator_who_can_act_counts_as_one()
    {
        var suspended = User.Evolve(Ada, new UserSuspended(Now));

        Assert.True(Ada.IsActiveAdministrator);
        Assert.False(suspended.IsActiveAdministrator);
        Assert.True(User.Evolve(suspended, new UserReactivated(Now)).IsActiveAdministrator);
        Assert.False(User.Evolve(Ada, new UserRemoved(Now)).IsActiveAdministrator);
        Assert.False(User.Evolve(Ada, new UserRoleChanged(Role.Auditor)).IsActiveAdministrator);
    }

    [Fact]
    public void Whoever_comes_back_begins_anew()
    {
        var before = User.Evolve(
            User.Evolve(Ada, new ProfileChanged("Ada", "en", "Europe/London", Preferences: null)),
            new UserSuspended(Now)
        );

        var after = User.Evolve(
            User.Evolve(before, new UserRemoved(Now)),
            new UserJoined("ada@example.org", Role.Viewer, Now, InvitationId: null)
        );

        Assert.Equal(
            (Role.Viewer, null, null, null),
            (after.Role, after.SuspendedAt, after.RemovedAt, after.DisplayName)
        );
        Assert.Throws<UnexpectedEventException>(() =>
            User.Evolve(Ada, new UserJoined("ada@example.org", Role.Viewer, Now, InvitationId: null))
        );
    }

    [Fact]
    public void Who_is_removed_is_not_changed()
    {
        var removed = User.Evolve(Ada, new UserRemoved(Now));

        foreach (
            var @event in (IEvent[])
                [new UserRoleChanged(Role.User), new UserSuspended(Now), new UserReactivated(Now), new UserRemoved(Now)]
        )
            Assert.Throws<UnexpectedEventException>(() => User.Evolve(removed, @event));
    }

    [Fact]
    public void Taking_an_administrator_away_is_checked_in_the_transaction_and_anything_else_is_not()
    {
        var viewer = User.Evolve(Ada, new UserRoleChanged(Role.Viewer));
        var tenant = Guid.CreateVersion7();

        Assert.Single(WritesOf(SuspendUser.Decide(Ada, tenant, Now)));
        Assert.Single(WritesOf(ChangeUser.Decide(Ada, Administrator, Role.User)));
        Assert.Empty(WritesOf(SuspendUser.Decide(viewer, tenant, Now)));
        Assert.Empty(WritesOf(ChangeUser.Decide(viewer, Administrator, Role.Admin)));
        Assert.Equal(Decision.Nothing, ChangeUser.Decide(viewer, Administrator, Role.Viewer));
        Assert.Equal(Decision.Nothing, ReactivateUser.Decide(Ada, Now));
    }

    [Fact]
    public void A_profile_keeps_what_is_left_out_and_loses_what_is_empty()
    {
        var preferences = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
        {
            ["theme"] = JsonElement.Parse("\"dark\""),
        };
        var request = new ChangeMeRequest("Ada", "en", Preferences: preferences);

        var changed = Assert.IsType<Decision.Appending>(ChangeMe.Decide(Ada, request));
        var after = User.Evolve(Ada, changed.Events[0]);
        var cleared = Assert.IsType<Decision.Appending>(ChangeMe.Decide(after, new ChangeMeRequest(DisplayName: "")));

        Assert.Equal("""{"theme":"dark"}""", after.Preferences.ToString());
        Assert.Equal(Decision.Nothing, ChangeMe.Decide(after, request));
        Assert.Equal(new ProfileChanged(null, "en", null, after.Preferences), cleared.Events[0]);
        Assert.IsType<Decision.Refusing>(ChangeMe.Decide(User.Evolve(Ada, new UserRemoved(Now)), request));
    }

    private static readonly Caller Administrator = new(
        Guid.CreateVersion7(),
        "user:x",
        Guid.CreateVersion7(),
        Scopes.All.ToHashSet(StringComparer.Ordinal)
    )
    {
        Reach = Reach.Organization,
    };

    private static IReadOnlyList<SqlWrite> WritesOf(Decision decision) => ((Decision.Appending)decision).Writes;
}
