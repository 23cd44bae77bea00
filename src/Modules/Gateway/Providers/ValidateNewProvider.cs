using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>Settings of a provider to try out before they are saved.</summary>
public sealed record ValidateNewProviderRequest(
    [property: Required, ProviderKindName]
    [property: Description("What stands there, as when a provider is registered.")]
        string Kind,
    [property: StringLength(2000)]
    [property: Description("Where it is, up to and with the version.")]
        string? BaseUrl = null,
    [property: StringLength(100), RegularExpression("^[A-Za-z0-9.-]*$")]
    [property: Description("Azure's `api-version`.")]
        string? ApiVersion = null,
    [property: Credential] [property: Description("The credential.")] string? ApiKey = null,
    [property: Range(0.001, 300)]
    [property: Description("How long a connection may take, in seconds; 10 if left out.")]
        double? ConnectTimeoutSeconds = null,
    [property: StringLength(200, MinimumLength = 1)]
    [property: Description("A model to ask for one token.")]
        string? Model = null
)
{
    // The compiler's own would put the credential into whatever prints a request.
    private bool PrintMembers(System.Text.StringBuilder builder)
    {
        builder.Append("Kind = ").Append(Kind);
        return true;
    }

    internal ProviderTerms ToTerms() =>
        new CreateProviderRequest("unsaved", Kind, BaseUrl, ApiVersion, ApiKey, ConnectTimeoutSeconds).ToTerms();
}

internal sealed class ValidateNewProvider(ProviderProbe probe, EventStore events, IdSource ids, TimeProvider time)
    : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/providers/validate", HandleAsync)
            .RequireScope(Scopes.ProvidersWrite)
            .WithTags("Providers")
            .WithSummary("Try settings of a provider out")
            .WithDescription(
                "As for a provider that is registered, with settings that are not saved. That it was done, where, and what was found, is on record; the credential is not."
            )
            .WithRequestExample(new ValidateNewProviderRequest("ollama", "http://127.0.0.1:11434/v1"))
            .WithResponseExample(StatusCodes.Status200OK, ProviderValidationResponse.FailedExample)
            .ProducesError(422, ProviderRules.InvalidAddress.Code, ProviderRules.InvalidAddress.Message)
            .ProducesError(422, ProviderRules.NoApiVersion.Code, ProviderRules.NoApiVersion.Message);

    private async Task<Results<Ok<ProviderValidationResponse>, ProblemHttpResult>> HandleAsync(
        ValidateNewProviderRequest request,
        Caller caller,
        HttpContext http
    )
    {
        var terms = request.ToTerms();
        if (ProviderRules.Wrong(terms) is { } wrong)
            return Problems.Create(wrong);
        // Whatever becomes of who asked: calls that were made are on record.
        var result = await probe.TryAsync(
            terms,
            string.IsNullOrEmpty(request.ApiKey) ? null : request.ApiKey,
            request.Model,
            ProviderProbe.Patience,
            CancellationToken.None
        );
        var tried = new ProviderTried(
            terms.Kind,
            terms.BaseUrl,
            terms.ApiVersion,
            ProviderValidation.Of(result, request.Model, time.GetUtcNow())
        );
        await events.AppendAsync(
            caller.For(http),
            new StreamEvents("provider-trial", ids.New(), 0, [tried]),
            CancellationToken.None
        );
        return TypedResults.Ok(ProviderValidationResponse.From(result));
    }
}
