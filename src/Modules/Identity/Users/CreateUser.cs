using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.ServiceAccounts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Users;

/// <summary>A person to add to the caller's organization.</summary>
public sealed record CreateUserRequest(
    [property: Required, EmailAddress, StringLength(254)]
    [property: Description("The address that the person logs in with. One account an address.")]
        string Email,
    [property: Required, EnumDataType(typeof(Role))] [property: Description("What the person may do.")] Role? Role
);

/// <summary>A person who was added.</summary>
/// <param name="Id">The person.</param>
/// <param name="Email">The address to log in with.</param>
/// <param name="Role">What the person may do.</param>
/// <param name="OneTimePassword">Shown this once; the person changes it after the first login.</param>
public sealed record CreatedUserResponse(Guid Id, string Email, Role Role, string OneTimePassword);

internal sealed class CreateUser : IEndpoint
{
    private static readonly Refusal EmailTaken = new(
        RefusalKind.Conflict,
        "identity.email-taken",
        "There is an account with this address already; invite the person instead."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/users", HandleAsync)
            .RequireScope(Scopes.UsersWrite)
            .WithTags("Users")
            .WithSummary("Add a person")
            .WithDescription(
                "Adds a person to your organization and returns a one-time password, which is shown only in this answer."
            )
            .WithRequestExample(new CreateUserRequest(UserResponse.Example.Email, UserResponse.Example.Role))
            .WithResponseExample(
                StatusCodes.Status201Created,
                new CreatedUserResponse(
                    UserResponse.Example.Id,
                    UserResponse.Example.Email,
                    UserResponse.Example.Role,
                    "mK7tRw3xZq9pYf2dHc8n"
                )
            )
            .ProducesError(
                403,
                "identity.role-beyond-yours",
                "You cannot give the role 'admin': it may do what your credential may not."
            )
            .ProducesError(409, EmailTaken.Code, EmailTaken.Message);

    private static async Task<Results<Created<CreatedUserResponse>, ProblemHttpResult>> HandleAsync(
        CreateUserRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        PasswordStore passwords,
        PasswordHashing hashing,
        IdSource ids,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var role = request.Role!.Value;
        if (RoleGrant.Check(caller, role) is { } beyond)
            return Problems.From(beyond);
        if (await passwords.FindByEmailAsync(request.Email, cancellationToken) is not null)
            return Problems.From(EmailTaken);

        var id = ids.New();
        var password = PasswordStore.NewOneTimePassword();
        var hash = await hashing.HashAsync(password, cancellationToken);
        var account = await passwords.CreateAsync(caller.TenantId, id, request.Email, hash, cancellationToken);
        try
        {
            await store.DecideAsync<User>(
                caller.For(http),
                id,
                _ => Decision.Append(new UserCreated(request.Email, role, time.GetUtcNow())).AlsoWriting(account),
                cancellationToken
            );
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // Somebody else took the address since we looked.
            return Problems.From(EmailTaken);
        }
        return TypedResults.Created($"/api/users/{id}", new CreatedUserResponse(id, request.Email, role, password));
    }
}
