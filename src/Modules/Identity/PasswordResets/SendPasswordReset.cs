using Verbatim.Modules.Identity.Mail;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Messaging.Jobs;

namespace Verbatim.Modules.Identity.PasswordResets;

/// <summary>Somebody who typed an address has forgotten a password.</summary>
/// <param name="EmailHash">The keyed hash of the address: whether it is anybody's is found out by the job, where nobody waits for it.</param>
internal sealed record PasswordForgotten(byte[] EmailHash);

/// <summary>Sends the mail with the link, if the address is somebody's. The token is made here, and is nowhere but in the mail.</summary>
[Job("identity.send-password-reset", Concurrency = 2, MaxAttempts = 5)]
internal static class SendPasswordReset
{
    public static async Task HandleAsync(
        PasswordForgotten forgotten,
        JobContext context,
        PasswordStore passwords,
        ResetTokens tokens,
        Mailer mailer,
        CancellationToken cancellationToken
    )
    {
        if (
            !mailer.IsConfigured
            || await passwords.FindHashAsync(forgotten.EmailHash, cancellationToken) is not { } found
            || await passwords.FindByIdAsync(found.UserId, cancellationToken) is not { } account
        )
            return;
        var (link, _) = await tokens.OfferAsync(
            context.Appends with
            {
                Subject = account.UserId,
            },
            account,
            byMail: true,
            cancellationToken
        );
        try
        {
            await mailer.SendAsync(
                new Letter(
                    account.Email,
                    "Choose a new password",
                    [
                        "Somebody, hopefully you, has asked for a new password for your account at Verbatim. Choose it here within thirty minutes; the link works once:",
                        "All your logins end when you do. If it was not you, do nothing: your password stays as it is.",
                    ],
                    link
                ),
                cancellationToken
            );
        }
        catch (MailException e) when (e.IsPermanent)
        {
            // Trying again would change nothing, and the mailer has said so in the log.
        }
    }
}
