using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.Files;

/// <summary>How one of the two wires speaks of files; both have them under the same path.</summary>
internal abstract class FileWire
{
    /// <summary>What records call it: <c>openai</c>, <c>anthropic</c>.</summary>
    public abstract string Name { get; }

    /// <summary>How it says that something went wrong.</summary>
    public abstract WireDialect Dialect { get; }

    /// <summary>Files that nobody said the provider of go to one of these kinds; the first that the caller has any of.</summary>
    public abstract IReadOnlyList<IReadOnlyList<ProviderKind>> UsualKinds { get; }

    /// <summary>Whether files of this wire may be sent to a provider of this kind, when it is named.</summary>
    public abstract bool Speaks(ProviderKind kind);

    /// <summary>There is no such file for the caller, whether it is nobody's or somebody else's.</summary>
    public abstract WireError NotFound(string id);

    /// <summary>Reads what a provider says of a file that it has taken. Never throws.</summary>
    public abstract UpstreamFile? Read(JsonElement file);

    /// <summary>A file as this wire shows it.</summary>
    public abstract object Show(ProviderFile file);

    /// <summary>A deletion as this wire confirms it.</summary>
    public abstract object ShowDeleted(string id);

    /// <summary>A page of files as this wire shows it.</summary>
    public abstract object ShowPage(FilePage page);

    /// <summary>Reads which files are asked for; the files that it begins behind are not looked up yet.</summary>
    public abstract bool TryRead(
        ListFilesRequest request,
        [NotNullWhen(true)] out FileQuery? query,
        out string? beyond,
        [NotNullWhen(false)] out WireError? error
    );

    /// <summary>The wire of this caller.</summary>
    public static FileWire Of(HttpRequest request) =>
        ModelsDialect.IsAnthropic(request) ? AnthropicFileWire.Instance : OpenAiFileWire.Instance;

    /// <summary>The text of a member; null for anything else, or half of a surrogate pair.</summary>
    protected static string? TextOf(JsonElement json, string name)
    {
        try
        {
            return json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>A file as its provider describes it.</summary>
/// <param name="Id">The provider's id.</param>
/// <param name="FileName">Its name; null where the provider does not repeat it.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Purpose">OpenAI's <c>purpose</c>.</param>
/// <param name="CreatedAt">When it was taken.</param>
/// <param name="ExpiresAt">When it is let go of.</param>
internal sealed record UpstreamFile(
    string Id,
    string? FileName,
    string? MediaType,
    string? Purpose,
    DateTimeOffset? CreatedAt,
    DateTimeOffset? ExpiresAt
);
