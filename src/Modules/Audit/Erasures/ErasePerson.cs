using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;
using Verbatim.Platform.PersonalData;

namespace Verbatim.Modules.Audit.Erasures;

/// <summary>Who is to be erased.</summary>
public sealed record ErasePersonRequest(
    [property: Required]
    [property: Description("The person: the id of their account, as `GET /api/users` lists it.")]
        Guid? SubjectId
);

internal sealed class ErasePerson : IEndpoint
{
    // An erasure takes a second or two; whoever cannot wait longer looks again.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    private static readonly HttpError Unknown = new(
        StatusCodes.Status404NotFound,
        "audit.subject-unknown",
        "Nothing about a person of this id was ever recorded in your organization."
    );

    private static readonly HttpError Already = new(
        StatusCodes.Status409Conflict,
        "audit.subject-erased",
        "This person was erased before; GET /api/audit/erasures has the report."
    );

    private static readonly HttpError Yourself = new(
        StatusCodes.Status409Conflict,
        "audit.cannot-erase-yourself",
        "You cannot erase yourself, since that ends your credentials too; ask another administrator."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/audit/erasures", HandleAsync)
            .RequireScope(Scopes.PersonalDataErase)
            .WithTags("Audit")
            .WithSummary("Erase a person")
            .WithDescription(
                """
                Destroys the key that a person's data is sealed with: from that moment nothing of theirs can be read any more, neither in this
                database nor in copies or exports that were made before. Their API keys are revoked and their password is removed; documents
                are rebuilt. The record itself stays, and every proof over it holds. It cannot be undone.
                """
            )
            .WithRequestExample(new ErasePersonRequest(ErasureResponse.Example.SubjectId))
            .WithResponseExample(StatusCodes.Status201Created, ErasureResponse.Example)
            .WithResponseExample(
                StatusCodes.Status202Accepted,
                ErasureResponse.Example with
                {
                    Status = ErasureStatus.Running,
                    Touched = [],
                }
            )
            .ProducesError(Unknown.Status, Unknown.Code, Unknown.Message)
            .ProducesError(Already.Status, Already.Code, Already.Message)
            .ProducesError(Yourself.Status, Yourself.Code, Yourself.Message);

    private static async Task<
        Results<Created<ErasureResponse>, Accepted<ErasureResponse>, ProblemHttpResult>
    > HandleAsync(
        ErasePersonRequest request,
        Caller caller,
        HttpContext http,
        Subjects subjects,
        DocumentStore store,
        IdSource ids,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var subjectId = request.SubjectId!.Value;
        if (subjectId == caller.PrincipalId)
            return Problems.Create(Yourself);
        if (await subjects.FindAsync(caller.TenantId, subjectId, cancellationToken) is not { } subject)
            return Problems.Create(Unknown);
        if (subject.ErasedAt is not null)
            return Problems.Create(Already);

        var id = ids.New();
        try
        {
            await store.DecideAsync<Erasure>(
                caller.For(http),
                id,
                _ =>
                    Decision
                        .Append(new SubjectErased(subjectId))
                        .AlsoWriting(subjects.DestroyKey(caller.TenantId, subjectId)),
                cancellationToken
            );
        }
        catch (PostgresException e) when (e.SqlState == Subjects.NoKey)
        {
            // Somebody else was faster.
            return Problems.Create(Already);
        }

        var (path, began) = ($"/api/audit/erasures/{id}", time.GetTimestamp());
        while (true)
        {
            var erasure = (await store.LoadAsync<Erasure>(caller.Access, id, cancellationToken))!.Value;
            if (erasure.Status == ErasureStatus.Completed)
                return TypedResults.Created(path, ErasureResponse.From(id, erasure));
            if (time.GetElapsedTime(began) > Patience)
                return TypedResults.Accepted(path, ErasureResponse.From(id, erasure));
            await Task.Delay(LookInterval, time, cancellationToken);
        }
    }
}
