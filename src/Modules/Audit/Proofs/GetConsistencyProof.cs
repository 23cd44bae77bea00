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

/// <summary>Which tree is to be shown as the beginning of which.</summary>
public sealed record GetConsistencyProofRequest
{
    /// <summary>The smaller tree.</summary>
    [Required(ErrorMessage = "Give the size of the tree that you know.")]
    [WholeNumber(1)]
    [Description("The size of the smaller tree, for instance that of a checkpoint that you kept.")]
    public string? From { get; init; }

    /// <summary>The larger tree.</summary>
    [WholeNumber(1)]
    [Description("The size of the larger tree; the newest if left out.")]
    public string? To { get; init; }
}

/// <summary>The proof that a tree is the beginning of a larger one (RFC 6962, section 2.1.2). All hashes are in hexadecimal.</summary>
/// <param name="From">The smaller tree.</param>
/// <param name="To">The larger tree.</param>
/// <param name="FromRootHash">The smaller one's root; compare it with the checkpoint that you kept.</param>
/// <param name="ToRootHash">The larger one's root.</param>
/// <param name="Hashes">The path.</param>
public sealed record ConsistencyProofResponse(
    long From,
    long To,
    string FromRootHash,
    string ToRootHash,
    IReadOnlyList<string> Hashes
)
{
    internal static readonly ConsistencyProofResponse Example = new(
        From: 2,
        To: 4,
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"]
    );
}

internal sealed class GetConsistencyProof : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/audit/proofs/consistency", HandleAsync)
            .RequireScope(Scopes.AuditRead)
            .WithTags("Audit")
            .WithSummary("Prove that the log has only grown")
            .WithDescription(
                """
                The path of hashes that shows one tree as the beginning of a larger one. With a checkpoint that you kept and the newest, it proves
                that nothing that the first covers was changed, removed or inserted since.
                """
            )
            .WithResponseExample(StatusCodes.Status200OK, ConsistencyProofResponse.Example)
            .ProducesError(400, ProofErrors.WrongOrder.Code, ProofErrors.WrongOrder.Message)
            .ProducesError(404, ProofErrors.TreeTooSmall(8).Code, ProofErrors.TreeTooSmall(8).Message);

    private static async Task<Results<Ok<ConsistencyProofResponse>, ProblemHttpResult>> HandleAsync(
        [AsParameters] GetConsistencyProofRequest request,
        TreeReader tree,
        CancellationToken cancellationToken
    )
    {
        var signed = await tree.ReadSizeAsync(cancellationToken);
        if (!WholeNumberAttribute.TryParse(request.To, out var to))
            to = signed;
        if (!WholeNumberAttribute.TryParse(request.From, out var from))
            return Problems.Create(ProofErrors.WrongOrder);
        if (to > signed || from > signed)
            return Problems.Create(ProofErrors.TreeTooSmall(signed));
        if (from > to)
            return Problems.Create(ProofErrors.WrongOrder);

        var proof = await tree.ProveConsistencyAsync(from, to, cancellationToken);
        return TypedResults.Ok(
            new ConsistencyProofResponse(
                from,
                to,
                Convert.ToHexStringLower(proof.FirstRoot!),
                Convert.ToHexStringLower(proof.Root),
                [.. proof.Hashes.Select(Convert.ToHexStringLower)]
            )
        );
    }
}
