using Verbatim.Modules.Identity.Invitations;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Identity.Invitations;

public sealed class InvitationTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    private static readonly Invitation Open = Invitation.Evolve(
        null,
        new InvitationCreated(
            "grace@example.org",
            Role.User,
            Guid.CreateVersion7(),
            IsByMail: true,
            Now,
            Now.AddDays(7)
        )
    );

    [Fact]
    public void Its_status_is_what_became_of_it_first_and_its_time_last()
    {
        var accepted = Invitation.Evolve(Open, new InvitationAccepted(Open.UserId, Now));
        var revoked = Invitation.Evolve(Open, new InvitationRevoked(Now));

        Assert.Equal(InvitationStatus.Pending, Open.StatusAt(Now.AddDays(7).AddTicks(-1)));
        Assert.Equal(InvitationStatus.Expired, Open.StatusAt(Now.AddDays(7)));
        Assert.Equal(InvitationStatus.Accepted, accepted.StatusAt(Now.AddDays(8)));
        Assert.Equal(InvitationStatus.Revoked, revoked.StatusAt(Now.AddDays(8)));
    }

    [Fact]
    public void What_is_closed_stays_closed()
    {
        var accepted = Invitation.Evolve(Open, new InvitationAccepted(Open.UserId, Now));
        var revoked = Invitation.Evolve(Open, new InvitationRevoked(Now));

        Assert.Throws<UnexpectedEventException>(() =>
            Invitation.Evolve(revoked, new InvitationAccepted(Open.UserId, Now))
        );
        Assert.Throws<UnexpectedEventException>(() =>
            Invitation.Evolve(accepted, new InvitationRenewed(IsByMail: true, Now, Now))
        );
        Assert.Equal(Decision.Nothing, RevokeInvitation.Decide(revoked, Guid.Empty, Guid.Empty, Now));
        Assert.IsType<Decision.Refusing>(RevokeInvitation.Decide(accepted, Guid.Empty, Guid.Empty, Now));
        // A mail that was on its way when it was closed was sent all the same.
        Assert.Equal(InvitationDelivery.Sent, Invitation.Evolve(revoked, new InvitationSent(Now)).Delivery);
    }

    [Fact]
    public void A_renewal_is_another_delivery()
    {
        var sent = Invitation.Evolve(Open, new InvitationSent(Now));

        var renewed = Invitation.Evolve(sent, new InvitationRenewed(IsByMail: true, Now, Now.AddDays(14)));

        Assert.Equal((2, InvitationDelivery.Waiting), (renewed.Deliveries, renewed.Delivery));
        Assert.Equal(Now.AddDays(14), renewed.ExpiresAt);
    }
}
