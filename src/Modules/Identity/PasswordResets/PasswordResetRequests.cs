using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Messaging.Jobs;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.PasswordResets;

/// <summary>Takes addresses of people who have forgotten their password. Does the same for each, whoever's it is: a job finds that out.</summary>
[Singleton]
internal sealed class PasswordResetRequests(
    Database database,
    FirstOrganization firstOrganization,
    PasswordStore passwords,
    JobEnqueuer jobs
)
{
    public async Task TakeAsync(HttpContext http, string email, CancellationToken cancellationToken)
    {
        var hash = await passwords.HashEmailAsync(email, cancellationToken);
        var tenant = await firstOrganization.GetIdAsync(cancellationToken);
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await jobs.EnqueueAsync(
            transaction,
            new AppendContext(tenant, "system:password-reset", RequestId.Of(http)),
            new PasswordForgotten(hash),
            // Asking again and again does not send more mails than one at a time.
            new JobOptions { UniqueKey = Convert.ToHexStringLower(hash) },
            cancellationToken
        );
        await transaction.CommitAsync(cancellationToken);
    }
}
