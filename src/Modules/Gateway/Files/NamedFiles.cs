using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Files;

/// <summary>
/// Looks up the files that a request names. A provider knows callers by one credential for all, so it would open anybody's file to whoever knows
/// or guesses its id.
/// </summary>
[Singleton]
internal sealed class NamedFiles(OwnedFiles files)
{
    /// <summary>Where the files are that a request names; null when it names none.</summary>
    /// <param name="access">Whose files may be named.</param>
    /// <param name="wire">The wire that the request is in.</param>
    /// <param name="request">What is sent.</param>
    /// <param name="cancellationToken">Ends the looking up.</param>
    /// <returns>The places, or why the request is refused whichever provider it goes to.</returns>
    public async ValueTask<(FilePlaces? Places, WireError? Error)> LocateAsync(
        Access access,
        CallerWire wire,
        WireRequest request,
        CancellationToken cancellationToken
    )
    {
        if (request.IsForm)
            return default;
        var references = FileReferences.Find(wire.Operation, request.Body.Span);
        if (references.Count == 0)
            return default;
        if (references.Count > FileReferences.MaxCount)
            return (
                null,
                new WireError(
                    400,
                    $"The request names more than {FileReferences.MaxCount} files.",
                    references[^1].Parameter,
                    "too_many_files"
                )
            );
        var places = await files.LocateAsync(access, [.. references.Select(static r => r.Id)], cancellationToken);
        foreach (var reference in references)
        {
            if (!places.ContainsKey(reference.Id))
                return (null, NotFound(wire, reference));
        }
        return (new FilePlaces(references, places), null);
    }

    // Anthropic has no field for a parameter, and answers 404 (API reference, "Files").
    private static WireError NotFound(CallerWire wire, FileReference reference) =>
        new(
            wire.Operation is Operation.Messages or Operation.CountTokens ? 404 : 400,
            $"There is no file of yours with this id ('{reference.Parameter}').",
            reference.Parameter,
            "file_not_found"
        );
}

/// <summary>At which providers the files are that a request names.</summary>
internal sealed class FilePlaces(
    IReadOnlyList<FileReference> references,
    IReadOnlyDictionary<string, IReadOnlySet<Guid>> places
)
{
    /// <summary>Why a provider cannot be asked; null when it has all of the files.</summary>
    public WireError? RefusalAt(Guid providerId)
    {
        foreach (var reference in references)
        {
            if (!places[reference.Id].Contains(providerId))
                return new WireError(
                    400,
                    $"The file of '{reference.Parameter}' is at another provider than the model; send it there first.",
                    reference.Parameter,
                    "file_at_another_provider"
                );
        }
        return null;
    }
}
