using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Evidence;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Proofs;

/// <summary>Which event is to be shown in which tree.</summary>
public sealed record GetInclusionProofRequest
{
    /// <summary>The event.</summary>
    [Required(ErrorMessage = "Give the position of the event.")]
    [WholeNumber(1)]
    [Description("The event's position in the log.")]
    public string? Position { get; init; }

    /// <summary>The tree.</summary>
    [WholeNumber(1)]
    [Description("The size of the tree, as a checkpoint tells it; the newest if left out.")]
    public string? TreeSize { get; init; }
}

/// <summary>The proof that an event is in a tree (RFC 6962, section 2.1.1). All hashes are in hexadecimal.</summary>
/// <param name="Position">The event. As a leaf of the tree it has the index <c>position - 1</c>.</param>
/// <param name="TreeSize">The tree.</param>
/// <param name="LeafHash">The event's leaf hash; make it again from the event's own fields, as docs/event-log.md tells.</param>
/// <param name="RootHash">The tree's root; a checkpoint of this size has the same.</param>
/// <param name="Hashes">The path from the leaf to the root.</param>
public sealed record InclusionProofResponse(
    long Position,
    long TreeSize,
    string LeafHash,
    string RootHash,
    IReadOnlyList<string> Hashes
)
{
    internal static readonly InclusionProofResponse Example = new(
        Position: 3,
        TreeSize: 4,
        "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        [
            "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        ]
    );
}

internal sealed class GetInclusionProof : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/audit/proofs/inclusion", HandleAsync)
            .RequireScope(Scopes.AuditRead)
            .WithTags("Audit")
            .WithSummary("Prove that an event is in the log")
            .WithDescription(
                """
                The path of hashes from an event of your organization to the root that a checkpoint has signed. Whoever holds the checkpoint can
                check it without this server: nobody can change the event, or put another in its place, and still show such a path.
                """
            )
            .WithResponseExample(StatusCodes.Status200OK, InclusionProofResponse.Example)
            .ProducesError(400, ProofErrors.NotInTree(9, 8).Code, ProofErrors.NotInTree(9, 8).Message)
            .ProducesError(404, ProofErrors.NoEvent.Code, ProofErrors.NoEvent.Message);

    private static async Task<Results<Ok<InclusionProofResponse>, ProblemHttpResult>> HandleAsync(
        [AsParameters] GetInclusionProofRequest request,
        Caller caller,
        TreeReader tree,
        CancellationToken cancellationToken
    )
    {
        if (
            !WholeNumberAttribute.TryParse(request.Position, out var position)
            || await tree.FindLeafAsync(caller.TenantId, position, cancellationToken) is not { } leaf
        )
            return Problems.Create(ProofErrors.NoEvent);
        var signed = await tree.ReadSizeAsync(cancellationToken);
        if (!WholeNumberAttribute.TryParse(request.TreeSize, out var treeSize))
            treeSize = signed;
        if (treeSize > signed || position > signed)
            return Problems.Create(ProofErrors.TreeTooSmall(signed));
        if (position > treeSize)
            return Problems.Create(ProofErrors.NotInTree(position, treeSize));

        var proof = await tree.ProveInclusionAsync(position, treeSize, cancellationToken);
        return TypedResults.Ok(
            new InclusionProofResponse(
                position,
                treeSize,
                Convert.ToHexStringLower(leaf),
                Convert.ToHexStringLower(proof.Root),
                [.. proof.Hashes.Select(Convert.ToHexStringLower)]
            )
        );
    }
}
