using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Anthropic;

namespace Verbatim.Modules.Gateway.Files;

/// <summary>
/// Files as Anthropic's API has them (API reference, "Files"). Its lists were paged by <c>after_id</c> first and are by <c>page</c> now; clients of
/// both are answered.
/// </summary>
internal sealed class AnthropicFileWire : FileWire
{
    public static readonly AnthropicFileWire Instance = new();

    private const int UsualSize = 20;
    private const int LargestSize = 1000;
    private const int MostIds = 100;

    public override string Name => "anthropic";

    public override WireDialect Dialect => AnthropicErrors.Dialect;

    public override IReadOnlyList<IReadOnlyList<ProviderKind>> UsualKinds { get; } =
    [
        [ProviderKind.Anthropic],
    ];

    public override bool Speaks(ProviderKind kind) => kind is ProviderKind.Anthropic;

    public override WireError NotFound(string id) => new(404, $"File not found: {id}", null, "not_found");

    public override UpstreamFile? Read(JsonElement file) =>
        TextOf(file, "id") is { } id
            ? new UpstreamFile(
                id,
                TextOf(file, "filename"),
                TextOf(file, "mime_type"),
                Purpose: null,
                TimeOf(file, "created_at"),
                TimeOf(file, "expires_at")
            )
            : null;

    public override object Show(ProviderFile file) => AnthropicFile.From(file);

    public override object ShowDeleted(string id) => new DeletedAnthropicFile(id, "file_deleted");

    public override object ShowPage(FilePage page) =>
        new AnthropicFilePage(
            [.. page.Files.Select(static f => AnthropicFile.From(f.Value))],
            page.HasMore,
            page.Files.Count == 0 ? null : page.Files[0].Value.UpstreamId,
            page.Files.Count == 0 ? null : page.Files[^1].Value.UpstreamId,
            page.HasNext ? page.Files[^1].Value.UpstreamId : null
        );

    public override bool TryRead(
        ListFilesRequest request,
        [NotNullWhen(true)] out FileQuery? query,
        out string? beyond,
        [NotNullWhen(false)] out WireError? error
    )
    {
        query = null;
        beyond = request.Page ?? request.AfterId ?? request.BeforeId;
        var ids = request.Ids is { Length: > 0 } given ? given : request.BracketedIds;
        var limit = UsualSize;
        if (
            request.Limit is { } text
            && (
                !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit)
                || limit is < 1 or > LargestSize
            )
        )
            error = Invalid("limit", $"give a whole number from 1 to {LargestSize}");
        else if (ids is { Length: > MostIds })
            error = Invalid("ids", $"give {MostIds} at the most");
        else if (
            new[] { request.Page, request.AfterId, request.BeforeId }.Count(static p => p is not null)
                + (ids is { Length: > 0 } ? 1 : 0)
            > 1
        )
            error = Invalid("page", "of 'page', 'after_id', 'before_id' and 'ids' give one");
        else
        {
            error = null;
            query = new FileQuery(this, Beyond: null, ids is { Length: > 0 } ? MostIds : limit)
            {
                IsAscending = request.BeforeId is not null,
                IsReversed = request.BeforeId is not null,
                Ids = ids is { Length: > 0 } ? [.. ids.Where(OwnedFiles.IsId)] : null,
            };
        }
        return query is not null;
    }

    private static WireError Invalid(string parameter, string what) =>
        new(400, $"{parameter}: {what}.", parameter, "invalid_value");

    private static DateTimeOffset? TimeOf(JsonElement file, string name) =>
        DateTimeOffset.TryParse(
            TextOf(file, name),
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time
        )
            ? time
            : null;
}

/// <summary>A file, as Anthropic's API shows it.</summary>
/// <param name="Type">Always <c>file</c>.</param>
/// <param name="Id">The provider's id of it.</param>
/// <param name="FileName">Its name.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="CreatedAt">When it was sent.</param>
/// <param name="ExpiresAt">When the provider lets go of it; null for never.</param>
public sealed record AnthropicFile(
    string Type,
    string Id,
    [property: JsonPropertyName("filename")] string FileName,
    [property: JsonPropertyName("mime_type")] string MediaType,
    [property: JsonPropertyName("size_bytes")] long Bytes,
    [property: JsonPropertyName("created_at")] DateTimeOffset CreatedAt,
    [property: JsonPropertyName("expires_at")] DateTimeOffset? ExpiresAt
)
{
    internal static AnthropicFile From(ProviderFile file) =>
        new(
            "file",
            file.UpstreamId!,
            file.FileName ?? "",
            file.MediaType ?? "application/octet-stream",
            file.Content!.Bytes,
            file.CreatedAt!.Value,
            file.ExpiresAt
        );
}

/// <summary>A page of files, as Anthropic's API shows it.</summary>
/// <param name="Data">The files.</param>
/// <param name="HasMore">There are further ones in the direction of the paging.</param>
/// <param name="FirstId">For <c>before_id</c>; null on an empty page.</param>
/// <param name="LastId">For <c>after_id</c>; null on an empty page.</param>
/// <param name="NextPage">For <c>page</c>; null on the last page.</param>
public sealed record AnthropicFilePage(
    IReadOnlyList<AnthropicFile> Data,
    [property: JsonPropertyName("has_more")] bool HasMore,
    [property: JsonPropertyName("first_id")] string? FirstId,
    [property: JsonPropertyName("last_id")] string? LastId,
    [property: JsonPropertyName("next_page")] string? NextPage
);

/// <summary>A file that is gone, as Anthropic's API says it.</summary>
/// <param name="Id">The file.</param>
/// <param name="Type">Always <c>file_deleted</c>.</param>
public sealed record DeletedAnthropicFile(string Id, string Type);
