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

/// <summary>A key that checkpoints are, or were, signed with.</summary>
/// <param name="Id">The first four bytes of SHA-256 over the public key, in hexadecimal; it stands before each signature.</param>
/// <param name="PublicKey">The key as verifiers take it: <c>name+id+base64</c> (C2SP signed-note, ECDSA on P-256).</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="RetiredAt">When another took its place; null while it signs. What it has signed stays valid.</param>
public sealed record CheckpointKeyResponse(string Id, string PublicKey, DateTime CreatedAt, DateTime? RetiredAt)
{
    internal static readonly CheckpointKeyResponse Example = new(
        "f30437de",
        "example.com/verbatim+f30437de+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPx…",
        new DateTime(2026, 3, 1, 9, 0, 0, DateTimeKind.Utc),
        RetiredAt: null
    );
}

internal sealed class ListCheckpointKeys : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/audit/checkpoints/keys", HandleAsync)
            .RequireScope(Scopes.AuditRead)
            .WithTags("Audit")
            .WithSummary("List the keys of the checkpoints")
            .WithDescription(
                """
                The public keys that verify checkpoints, the current one first. Take them from here once, keep them, and ask a second source when
                one that you do not know appears: whoever could change the log could also change this answer.
                """
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<CheckpointKeyResponse>([CheckpointKeyResponse.Example], NextCursor: null)
            );

    // Keys are few: one page always holds them all.
    private static async Task<Ok<Page<CheckpointKeyResponse>>> HandleAsync(
        TreeReader tree,
        CancellationToken cancellationToken
    ) =>
        TypedResults.Ok(
            new Page<CheckpointKeyResponse>(
                [
                    .. (await tree.ReadKeysAsync(cancellationToken)).Select(k => new CheckpointKeyResponse(
                        Convert.ToHexStringLower(k.Key.Id.Span),
                        k.Key.ToString(),
                        k.CreatedAt,
                        k.RetiredAt
                    )),
                ],
                NextCursor: null
            )
        );
}
