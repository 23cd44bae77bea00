using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.ServiceAccounts;

/// <summary>A service account.</summary>
/// <param name="Id">The account, and the stream of its events.</param>
/// <param name="Name">What it is for.</param>
/// <param name="Role">What it may do.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="SuspendedAt">Since when none of its keys works; null when they do.</param>
public sealed record ServiceAccountResponse(
    Guid Id,
    string Name,
    Role Role,
    DateTimeOffset CreatedAt,
    DateTimeOffset? SuspendedAt
)
{
    internal static readonly ServiceAccountResponse Example = new(
        Guid.Parse("0198c9b2-6d1f-7a43-9e58-70c2b4d8f316"),
        "Nightly reports",
        Role.User,
        new DateTimeOffset(2026, 3, 2, 10, 0, 0, TimeSpan.Zero),
        SuspendedAt: null
    );

    internal static ServiceAccountResponse From(Guid id, ServiceAccount account) =>
        new(id, account.Name, account.Role, account.CreatedAt, account.SuspendedAt);

    /// <summary>The answer of a route that changes an account and shows it.</summary>
    internal static Results<Ok<ServiceAccountResponse>, ProblemHttpResult> Answer(
        Outcome<ServiceAccount> outcome,
        Guid id,
        HttpContext http
    ) =>
        outcome.Match<Results<Ok<ServiceAccountResponse>, ProblemHttpResult>>(
            account =>
            {
                EntityTags.Set(http, account.Version);
                return TypedResults.Ok(From(id, account.Value));
            },
            refusal => Problems.From(refusal)
        );
}
