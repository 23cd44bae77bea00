using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Files;

/// <summary>Tells at which of the providers that a caller may ask a file is to be kept, or is.</summary>
[Singleton]
internal sealed class FileProviders(Catalogue catalogue)
{
    /// <summary>How a caller says which provider a file is to go to, by its name.</summary>
    public const string Header = "x-verbatim-provider";

    // Of choices in an error.
    private const int MostNamed = 50;

    /// <summary>The largest file.</summary>
    public long MaxFileBytes => catalogue.MaxFileBytes;

    /// <summary>Where a new file goes: to the provider that is named, or to the only one that keeps files of this wire.</summary>
    public bool TryChoose(
        Caller caller,
        FileWire wire,
        HttpRequest request,
        [NotNullWhen(true)] out Provider? provider,
        [NotNullWhen(false)] out WireError? error
    )
    {
        // Where two have one name, the caller's own organization's is meant.
        var able = catalogue
            .ViewOf(caller)
            .Providers.Where(p => wire.Speaks(p.Kind))
            .DistinctBy(static p => p.Settings.Name, StringComparer.OrdinalIgnoreCase)
            .OrderBy(static p => p.Settings.Name, StringComparer.OrdinalIgnoreCase)
            .ToList();
        provider = null;
        error = null;
        if (request.Headers[Header] is [{ Length: > 0 } name])
        {
            provider = able.Find(p => p.Settings.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
            if (provider is null)
                error = Refuse($"The header '{Header}' names no provider that keeps files for you", able);
            return provider is not null;
        }
        foreach (var kinds in wire.UsualKinds)
        {
            var usual = able.FindAll(p => kinds.Contains(p.Kind));
            if (usual.Count == 0)
                continue;
            if (usual.Count == 1)
                provider = usual[0];
            else
                error = Refuse($"Several providers keep files; name one in the header '{Header}'", usual);
            return provider is not null;
        }
        error = Refuse(
            $"You can ask no provider that keeps files of this API unless the header '{Header}' names it",
            able
        );
        return false;
    }

    /// <summary>The provider that has a file; null when the caller cannot ask it any more.</summary>
    public Provider? Find(Caller caller, ProviderFile file) =>
        catalogue.ViewOf(caller).Providers.FirstOrDefault(p => p.Settings.Id == file.ProviderId);

    private static WireError Refuse(string why, List<Provider> choices) =>
        new(
            400,
            choices.Count == 0
                ? why + ": there is none."
                : $"{why}: {string.Join(", ", choices.Take(MostNamed).Select(static p => $"'{p.Settings.Name}'"))}{(choices.Count > MostNamed ? " …" : ".")}",
            Header,
            choices.Count == 0 ? "no_file_provider" : "file_provider_needed"
        );
}
