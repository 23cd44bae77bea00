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

/// <summary>What to change of a provider; what is left out stays.</summary>
public sealed record ChangeProviderRequest(
    [property: StringLength(100, MinimumLength = 1)]
    [property: RegularExpression(CreateProviderRequest.NamePattern)]
    [property: Description("What people call it.")]
        string? Name = null,
    [property: StringLength(2000)]
    [property: Description("Where it is. Another server needs the `apiKey` again, if there is one.")]
        string? BaseUrl = null,
    [property: StringLength(100), RegularExpression("^[A-Za-z0-9.-]*$")]
    [property: Description("Azure's `api-version`; an empty text for none.")]
        string? ApiVersion = null,
    [property: Credential] [property: Description("Another credential; an empty text for none.")] string? ApiKey = null,
    [property: Range(0.001, 300)]
    [property: Description("How long a connection may take, in seconds.")]
        double? ConnectTimeoutSeconds = null
)
{
    // The compiler's own would put the credential into whatever prints a request.
    private bool PrintMembers(System.Text.StringBuilder builder)
    {
        builder.Append("Name = ").Append(Name);
        return true;
    }
}

internal sealed class ChangeProvider(CatalogueSettings settings, MasterKey masterKey) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPatch("/providers/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ProvidersWrite)
            .WithTags("Providers")
            .WithSummary("Change a provider")
            .WithDescription(
                "Changes what is given and leaves the rest. Calls that come from then on go by it, on all instances within a second; those under way are not touched."
            )
            .WithRequestExample(new ChangeProviderRequest(ConnectTimeoutSeconds: 5))
            .WithResponseExample(StatusCodes.Status200OK, ProviderResponse.Example)
            .ProducesError(404, ProviderRules.NotFound.Code, ProviderRules.NotFound.Message)
            .ProducesError(409, ProviderRules.NameTaken.Code, ProviderRules.NameTaken.Message)
            .ProducesError(
                409,
                "gateway.set-by-configuration",
                ProviderRules.SetByConfiguration("Gateway:Providers:openai").Message
            )
            .ProducesError(422, ProviderRules.CredentialNeeded.Code, ProviderRules.CredentialNeeded.Message)
            .ProducesError(422, ProviderRules.InvalidAddress.Code, ProviderRules.InvalidAddress.Message)
            .ProducesError(422, ProviderRules.NoApiVersion.Code, ProviderRules.NoApiVersion.Message);

    private async Task<Results<Ok<ProviderResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The provider.")] Guid id,
        ChangeProviderRequest request,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var credential = request.ApiKey switch
        {
            null => null,
            "" => SealedProviderCredentials.Delete(id),
            var key => SealedProviderCredentials.Store(masterKey, caller.TenantId, id, key),
        };
        return await settings.DecideAsync<RegisteredProvider, Ok<ProviderResponse>>(
            caller,
            http,
            id,
            provider => Decide(provider, request, credential),
            provider => TypedResults.Ok(ProviderResponse.From(id, provider)),
            cancellationToken
        );
    }

    internal static Decision Decide(RegisteredProvider? provider, ChangeProviderRequest request, SqlWrite? credential)
    {
        if (provider is null or { DeletedAt: not null })
            return ProviderRules.Refuse(ProviderRules.NotFound);
        if (provider.SetBy is { } setting)
            return ProviderRules.Refuse(ProviderRules.SetByConfiguration(setting));
        var before = provider.Terms;
        var after = before with
        {
            Name = request.Name ?? before.Name,
            BaseUrl = request.BaseUrl?.TrimEnd('/') ?? before.BaseUrl,
            ApiVersion = request.ApiVersion switch
            {
                null => before.ApiVersion,
                "" => null,
                var version => version,
            },
            ConnectTimeout = request.ConnectTimeoutSeconds is { } seconds
                ? TimeSpan.FromSeconds(seconds)
                : before.ConnectTimeout,
        };
        if (ProviderRules.Check(after) is { } refusal)
            return refusal;
        // Or whoever may change settings, but not read credentials, would have one sent to a server of their own.
        if (
            provider.HasCredential
            && request.ApiKey is null
            && !ProviderRules.IsSameServer(before.BaseUrl, after.BaseUrl)
        )
            return ProviderRules.Refuse(ProviderRules.CredentialNeeded);

        var events = new List<IEvent>();
        if (after != before)
            events.Add(new ProviderChanged(after));
        if (request.ApiKey is { Length: > 0 } key)
            events.Add(new ProviderCredentialReplaced(SealedProviderCredentials.HintOf(key)));
        else if (request.ApiKey is not null && provider.HasCredential)
            events.Add(new ProviderCredentialRemoved());
        var decision = events.Count == 0 ? Decision.Nothing : Decision.Append(events);
        return credential is null || events.Count == 0 ? decision : decision.AlsoWriting(credential);
    }
}
