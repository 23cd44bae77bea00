using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>A provider to register.</summary>
public sealed record CreateProviderRequest(
    [property: Required, StringLength(100, MinimumLength = 1)]
    [property: RegularExpression(CreateProviderRequest.NamePattern)]
    [property: Description("What people call it; one of this name an organization.")]
        string Name,
    [property: Required, ProviderKindName]
    [property: Description(
        "What stands there: `openai`, `anthropic`, `azure-openai`, `openrouter`, `ollama`, `vllm`, `simulator`, or `openai-compatible` for anything else."
    )]
        string Kind,
    [property: StringLength(2000)]
    [property: Description(
        "Where it is, up to and with the version: `https://api.openai.com/v1`; for Azure the resource's address alone. Kinds that have one address need none."
    )]
        string? BaseUrl = null,
    [property: StringLength(100), RegularExpression("^[A-Za-z0-9.-]*$")]
    [property: Description("Azure's `api-version`, such as `2024-10-21`.")]
        string? ApiVersion = null,
    [property: Credential]
    [property: Description("What this server proves itself with there. It is kept sealed and never shown again.")]
        string? ApiKey = null,
    [property: Range(0.001, 300)]
    [property: Description("How long a connection may take, in seconds; 10 if left out.")]
        double? ConnectTimeoutSeconds = null
)
{
    internal const string NamePattern = @"^[\p{L}\p{N}][^\p{C}]*$";

    // The compiler's own would put the credential into whatever prints a request.
    private bool PrintMembers(System.Text.StringBuilder builder)
    {
        builder.Append("Name = ").Append(Name).Append(", Kind = ").Append(Kind);
        return true;
    }

    internal ProviderTerms ToTerms() =>
        new(
            Name,
            Kind,
            (
                BaseUrl is { Length: > 0 } url
                    ? url
                    : ProviderKinds.DefaultBaseUrl(ProviderKinds.Find(Kind)!.Value) ?? ""
            ).TrimEnd('/'),
            string.IsNullOrEmpty(ApiVersion) ? null : ApiVersion,
            ConnectTimeoutSeconds is { } seconds
                ? TimeSpan.FromSeconds(seconds)
                : ProviderSettings.DefaultConnectTimeout
        );
}

internal sealed class CreateProvider(CatalogueSettings settings, MasterKey masterKey, IdSource ids, TimeProvider time)
    : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/providers", HandleAsync)
            .RequireScope(Scopes.ProvidersWrite)
            .WithTags("Providers")
            .WithSummary("Register a provider")
            .WithDescription("Deployments of your organization can be at it from then on.")
            .WithRequestExample(
                new CreateProviderRequest("ollama", "ollama", "http://127.0.0.1:11434/v1", ApiKey: "the-key-from-there")
            )
            .WithResponseExample(StatusCodes.Status201Created, ProviderResponse.Example)
            .ProducesError(409, ProviderRules.NameTaken.Code, ProviderRules.NameTaken.Message)
            .ProducesError(422, ProviderRules.InvalidAddress.Code, ProviderRules.InvalidAddress.Message)
            .ProducesError(422, ProviderRules.NoApiVersion.Code, ProviderRules.NoApiVersion.Message);

    private async Task<Results<Created<ProviderResponse>, ProblemHttpResult>> HandleAsync(
        CreateProviderRequest request,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var id = ids.New();
        var terms = request.ToTerms();
        var credential = string.IsNullOrEmpty(request.ApiKey) ? null : request.ApiKey;
        var events = new List<IEvent> { new ProviderRegistered(terms, SetBy: null, time.GetUtcNow()) };
        var writes = new List<SqlWrite>();
        if (credential is not null)
        {
            events.Add(new ProviderCredentialReplaced(SealedProviderCredentials.HintOf(credential)));
            writes.Add(SealedProviderCredentials.Store(masterKey, caller.TenantId, id, credential));
        }
        return await settings.DecideAsync<RegisteredProvider, Created<ProviderResponse>>(
            caller,
            http,
            id,
            _ => ProviderRules.Check(terms) ?? Decision.Append(events).AlsoWriting(writes),
            provider => TypedResults.Created($"/api/providers/{id}", ProviderResponse.From(id, provider)),
            cancellationToken
        );
    }
}
