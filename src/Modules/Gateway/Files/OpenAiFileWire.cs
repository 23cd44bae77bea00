using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi;

namespace Verbatim.Modules.Gateway.Files;

/// <summary>Files as OpenAI's API has them (API reference, "Files").</summary>
internal sealed class OpenAiFileWire : FileWire
{
    public static readonly OpenAiFileWire Instance = new();

    private const int LargestSize = 10_000;

    public override string Name => "openai";

    public override WireDialect Dialect => OpenAiErrors.Dialect;

    public override IReadOnlyList<IReadOnlyList<ProviderKind>> UsualKinds { get; } =
    [
        [ProviderKind.OpenAi, ProviderKind.AzureOpenAi],
        [ProviderKind.OpenAiCompatible],
    ];

    public override bool Speaks(ProviderKind kind) => kind is not (ProviderKind.Anthropic or ProviderKind.Simulator);

    public override WireError NotFound(string id) => new(404, $"No such File object: {id}", "id", null);

    public override UpstreamFile? Read(JsonElement file) =>
        TextOf(file, "id") is { } id
            ? new UpstreamFile(
                id,
                TextOf(file, "filename"),
                MediaType: null,
                TextOf(file, "purpose"),
                TimeOf(file, "created_at"),
                TimeOf(file, "expires_at")
            )
            : null;

    public override object Show(ProviderFile file) => OpenAiFile.From(file);

    public override object ShowDeleted(string id) => new DeletedOpenAiFile(id, "file", Deleted: true);

    public override object ShowPage(FilePage page) =>
        new OpenAiFileList(
            "list",
            [.. page.Files.Select(static f => OpenAiFile.From(f.Value))],
            page.Files.Count == 0 ? null : page.Files[0].Value.UpstreamId,
            page.Files.Count == 0 ? null : page.Files[^1].Value.UpstreamId,
            page.HasMore
        );

    public override bool TryRead(
        ListFilesRequest request,
        [NotNullWhen(true)] out FileQuery? query,
        out string? beyond,
        [NotNullWhen(false)] out WireError? error
    )
    {
        query = null;
        beyond = request.After;
        var limit = LargestSize;
        if (
            request.Limit is { } text
            && (
                !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit)
                || limit is < 1 or > LargestSize
            )
        )
            error = Invalid("limit", $"give a whole number from 1 to {LargestSize}");
        else if (request.Order is not (null or "asc" or "desc"))
            error = Invalid("order", "give 'asc' or 'desc'");
        else if (request.Purpose is { } purpose && !OwnedFiles.IsId(purpose))
            error = Invalid("purpose", "give a word such as 'user_data'");
        else
        {
            error = null;
            query = new FileQuery(this, Beyond: null, limit)
            {
                IsAscending = request.Order == "asc",
                Purpose = request.Purpose,
            };
        }
        return query is not null;
    }

    private static WireError Invalid(string parameter, string what) =>
        new(400, $"Invalid '{parameter}': {what}.", parameter, "invalid_value");

    // Seconds since 1970.
    private static DateTimeOffset? TimeOf(JsonElement file, string name) =>
        file.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt64(out var seconds)
        && seconds is >= 0 and < 253_402_300_800
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
}

/// <summary>A file, as OpenAI's API shows it.</summary>
/// <param name="Id">The provider's id of it.</param>
/// <param name="Kind">Always <c>file</c>.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="CreatedAt">When it was sent, in seconds since 1970.</param>
/// <param name="ExpiresAt">When the provider lets go of it; null for never.</param>
/// <param name="FileName">Its name.</param>
/// <param name="Purpose">What it is for.</param>
/// <param name="Status">Always <c>processed</c>.</param>
public sealed record OpenAiFile(
    string Id,
    [property: JsonPropertyName("object")] string Kind,
    long Bytes,
    [property: JsonPropertyName("created_at")] long CreatedAt,
    [property: JsonPropertyName("expires_at")] long? ExpiresAt,
    [property: JsonPropertyName("filename")] string FileName,
    string? Purpose,
    string Status
)
{
    internal static readonly OpenAiFile Example = new(
        "file-6F2ksmvXxt4VdoqmHRw6kL",
        "file",
        120_000,
        1_772_443_800,
        ExpiresAt: null,
        "report.pdf",
        "user_data",
        "processed"
    );

    internal static OpenAiFile From(ProviderFile file) =>
        new(
            file.UpstreamId!,
            "file",
            file.Content!.Bytes,
            file.CreatedAt!.Value.ToUnixTimeSeconds(),
            file.ExpiresAt?.ToUnixTimeSeconds(),
            file.FileName ?? "",
            file.Purpose,
            "processed"
        );
}

/// <summary>A page of files, as OpenAI's API shows it.</summary>
/// <param name="Kind">Always <c>list</c>.</param>
/// <param name="Data">The files.</param>
/// <param name="FirstId">The first of them; null on an empty page.</param>
/// <param name="LastId">For <c>after</c> of the next page; null on an empty page.</param>
/// <param name="HasMore">There is a next page.</param>
public sealed record OpenAiFileList(
    [property: JsonPropertyName("object")] string Kind,
    IReadOnlyList<OpenAiFile> Data,
    [property: JsonPropertyName("first_id")] string? FirstId,
    [property: JsonPropertyName("last_id")] string? LastId,
    [property: JsonPropertyName("has_more")] bool HasMore
);

/// <summary>A file that is gone, as OpenAI's API says it.</summary>
/// <param name="Id">The file.</param>
/// <param name="Kind">Always <c>file</c>.</param>
/// <param name="Deleted">Always true.</param>
public sealed record DeletedOpenAiFile(string Id, [property: JsonPropertyName("object")] string Kind, bool Deleted);
