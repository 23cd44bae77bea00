using System.ComponentModel;
using Verbatim.Platform.PersonalData;

namespace Verbatim.Modules.Audit.Erasures;

/// <summary>An erasure, and the report of what it touched.</summary>
/// <param name="Id">The erasure, and the stream of its events.</param>
/// <param name="SubjectId">The person.</param>
/// <param name="Status">
/// <c>running</c>: nothing of the person can be read any more, and rows are being cleaned; <c>completed</c>: that is done too.
/// </param>
/// <param name="Touched">What was touched, by name; empty until it is completed.</param>
public sealed record ErasureResponse(
    Guid Id,
    Guid SubjectId,
    ErasureStatus Status,
    [property: Description("Rows that were rebuilt or removed, by name.")] IReadOnlyList<ErasedRows> Touched
)
{
    internal static readonly ErasureResponse Example = new(
        Guid.Parse("0199b3d1-7c20-7e4f-8a61-d25f90c3be17"),
        Guid.Parse("0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35"),
        ErasureStatus.Completed,
        [
            new ErasedRows("documents:api-key", 2),
            new ErasedRows("documents:user", 1),
            new ErasedRows("credentials", 3),
            new ErasedRows("idempotent answers", 0),
        ]
    );

    internal static ErasureResponse From(Guid id, Erasure erasure) =>
        new(id, erasure.SubjectId, erasure.Status, erasure.Touched);
}
