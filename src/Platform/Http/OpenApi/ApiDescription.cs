using System.Security.Cryptography;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Verbatim.Platform.Http.OpenApi;

/// <summary>
/// The OpenAPI 3.1 description of every route. It is made when it is first asked for, so that no start waits for it, and kept: routes do
/// not change while the host runs.
/// </summary>
internal sealed class ApiDescription(IServiceProvider services)
{
    /// <summary>The name of the one document, and its place in the path.</summary>
    public const string Name = "v1";

    private volatile ApiDescriptionFile? _file;

    /// <summary>Whether anyone has asked yet.</summary>
    public bool IsMade => _file is not null;

    /// <summary>The description as JSON. Two first readers may both make it; they make the same.</summary>
    public async ValueTask<ApiDescriptionFile> ReadAsync(CancellationToken cancellationToken) =>
        _file ??= await MakeAsync(cancellationToken);

    private async Task<ApiDescriptionFile> MakeAsync(CancellationToken cancellationToken)
    {
        // The transformers may ask for services of a request.
        await using var scope = services.CreateAsyncScope();
        var provider = scope.ServiceProvider.GetRequiredKeyedService<IOpenApiDocumentProvider>(Name);
        var document = await provider.GetOpenApiDocumentAsync(cancellationToken);
        using var json = new MemoryStream();
        await document.SerializeAsJsonAsync(json, OpenApiSpecVersion.OpenApi3_1, cancellationToken);
        var bytes = json.ToArray();
        return new ApiDescriptionFile(bytes, Convert.ToHexStringLower(SHA256.HashData(bytes)[..16]));
    }
}
