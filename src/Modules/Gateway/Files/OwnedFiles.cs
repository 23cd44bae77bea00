using System.Buffers;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Files;

/// <summary>Finds the files that a caller may see: what a provider has beside these is not theirs, whoever's it is.</summary>
[Singleton]
internal sealed class OwnedFiles(DocumentStore documents, TimeProvider time)
{
    // What may stand in an address as it is.
    private static readonly SearchValues<char> IdCharacters = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"
    );

    /// <summary>The file of this id on this wire; the newest, should several providers have given the same id. Null when there is none within reach.</summary>
    public async Task<Identified<ProviderFile>?> FindAsync(
        Access access,
        FileWire wire,
        string id,
        CancellationToken cancellationToken
    )
    {
        if (!IsId(id))
            return null;
        var found = await documents.ListAsync<ProviderFile>(
            access,
            before: null,
            limit: 1,
            Present().Where($"data ->> 'upstreamId' = {id}").Where($"data ->> 'wire' = {wire.Name}"),
            cancellationToken
        );
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>At which providers the files of these ids are; an id that is not there is nobody's within reach.</summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlySet<Guid>>> LocateAsync(
        Access access,
        IReadOnlyCollection<string> ids,
        CancellationToken cancellationToken
    )
    {
        var wanted = ids.Where(IsId).Distinct(StringComparer.Ordinal).ToArray();
        var places = new Dictionary<string, IReadOnlySet<Guid>>(StringComparer.Ordinal);
        if (wanted.Length == 0)
            return places;
        var found = await documents.ListAsync<ProviderFile>(
            access,
            before: null,
            limit: int.MaxValue,
            Present().Where($"data ->> 'upstreamId' = any({wanted})"),
            cancellationToken
        );
        foreach (var group in found.GroupBy(static f => f.Value.UpstreamId!, StringComparer.Ordinal))
            places.Add(group.Key, group.Select(static f => f.Value.ProviderId).ToHashSet());
        return places;
    }

    /// <summary>A page of files.</summary>
    /// <param name="access">Whose.</param>
    /// <param name="query">Which of them.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<FilePage> ListAsync(Access access, FileQuery query, CancellationToken cancellationToken)
    {
        var filter = Present().Where($"data ->> 'wire' = {query.Wire.Name}");
        if (query.Purpose is { } purpose)
            filter.Where($"data ->> 'purpose' = {purpose}");
        if (query.Ids is { } ids)
            filter.Where($"data ->> 'upstreamId' = any({ids.ToArray()})");
        var files = query.IsAscending
            ? await documents.ListOldestAsync<ProviderFile>(
                access,
                query.Beyond,
                query.Limit + 1,
                filter,
                cancellationToken
            )
            : await documents.ListAsync<ProviderFile>(access, query.Beyond, query.Limit + 1, filter, cancellationToken);
        var page = files.Take(query.Limit);
        return new FilePage(
            [.. query.IsReversed ? page.Reverse() : page],
            files.Count > query.Limit,
            HasNext: files.Count > query.Limit && !query.IsReversed
        );
    }

    /// <summary>Whether an id may be one: short, of letters, digits and a few signs. What is none is not looked for, nor put into an address.</summary>
    public static bool IsId(string id) =>
        id.Length is > 0 and <= 200
        && id.AsSpan().IndexOfAnyExcept(IdCharacters) < 0
        && id.AsSpan().IndexOfAnyExcept('.') >= 0;

    private DocumentFilter Present() =>
        new DocumentFilter()
            .Where($"data ->> 'status' = 'uploaded'")
            .Where($"(data ->> 'expiresAt' is null or (data ->> 'expiresAt')::timestamptz > {time.GetUtcNow()})");
}

/// <summary>Which files to list.</summary>
/// <param name="Wire">The wire that they were sent on.</param>
/// <param name="Beyond">The file that the page begins behind, in its order.</param>
/// <param name="Limit">The most.</param>
internal sealed record FileQuery(FileWire Wire, Guid? Beyond, int Limit)
{
    /// <summary>The oldest first.</summary>
    public bool IsAscending { get; init; }

    /// <summary>They are shown in the opposite order: a page of the newest first that ends before another.</summary>
    public bool IsReversed { get; init; }

    /// <summary>Only of this purpose.</summary>
    public string? Purpose { get; init; }

    /// <summary>Only these.</summary>
    public IReadOnlyList<string>? Ids { get; init; }
}

/// <summary>A page of files.</summary>
/// <param name="Files">In the order that was asked for.</param>
/// <param name="HasMore">There are more in the direction of the paging.</param>
/// <param name="HasNext">There are more behind the last one.</param>
internal sealed record FilePage(IReadOnlyList<Identified<ProviderFile>> Files, bool HasMore, bool HasNext);
