using System.Globalization;
using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Audit.Proofs;

/// <summary>Why there is no proof.</summary>
internal static class ProofErrors
{
    // Another organization's event is answered in the same words: that it exists is not told.
    public static readonly HttpError NoEvent = new(
        StatusCodes.Status404NotFound,
        "audit.event-not-found",
        "There is no event at this position in your organization."
    );

    public static HttpError TreeTooSmall(long size) =>
        new(
            StatusCodes.Status404NotFound,
            "audit.tree-too-small",
            string.Create(
                CultureInfo.InvariantCulture,
                $"The signed tree has {size} events; what is newer is in the next checkpoint, a second later."
            )
        );

    public static HttpError NotInTree(long position, long treeSize) =>
        new(
            StatusCodes.Status400BadRequest,
            "audit.not-in-tree",
            string.Create(
                CultureInfo.InvariantCulture,
                $"A tree of {treeSize} events does not reach position {position}; ask for a larger 'treeSize', or leave it out."
            )
        );

    public static readonly HttpError WrongOrder = new(
        StatusCodes.Status400BadRequest,
        "audit.not-a-continuation",
        "A tree continues a smaller one: 'from' must not be above 'to'."
    );
}
