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
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>How to try a provider out.</summary>
public sealed record ValidateProviderRequest(
    [property: StringLength(200, MinimumLength = 1)]
    [property: Description(
        "A model to ask for one token, by the provider's name of it; for Azure the deployment's name. Only the list of models is asked for if left out."
    )]
        string? Model = null
);

/// <summary>What came of trying a provider out.</summary>
/// <param name="IsValid">It answers as a provider of its kind does.</param>
/// <param name="LatencyMs">How long its last answer took, in milliseconds.</param>
/// <param name="Models">The names of the models that it lists, a thousand at most; Azure lists none.</param>
/// <param name="Error">What is wrong, and what to do about it; null when nothing is.</param>
public sealed record ProviderValidationResponse(
    bool IsValid,
    double LatencyMs,
    IReadOnlyList<string> Models,
    ProbeError? Error
)
{
    internal static readonly ProviderValidationResponse Example = new(true, 184.2, ["llama3.2:latest"], Error: null);

    internal static readonly ProviderValidationResponse FailedExample = new(
        false,
        12.7,
        [],
        ProbeError.WrongCredential
    );

    internal static ProviderValidationResponse From(ProbeResult result) =>
        new(result.IsValid, result.LatencyMs, result.Models, result.Error);
}

internal sealed class ValidateProvider(
    DocumentStore store,
    ProviderProbe probe,
    Database database,
    MasterKey masterKey,
    TimeProvider time
) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/providers/{id:guid}/validate", HandleAsync)
            .RequireScope(Scopes.ProvidersWrite)
            .WithTags("Providers")
            .WithSummary("Try a provider out")
            .WithDescription(
                "Makes real calls with its credential: asks for its models and, if a model is given, for one token of it, which may cost a little. What was found is answered with 200, also when something is wrong, and is on record."
            )
            .WithRequestExample(new ValidateProviderRequest("llama3.2:latest"))
            .WithResponseExample(StatusCodes.Status200OK, ProviderValidationResponse.Example)
            .ProducesError(404, ProviderRules.NotFound.Code, ProviderRules.NotFound.Message);

    private async Task<Results<Ok<ProviderValidationResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The provider.")] Guid id,
        ValidateProviderRequest request,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var provider = await store.LoadAsync<RegisteredProvider>(caller.Access, id, cancellationToken);
        if (provider is null or { Value.DeletedAt: not null })
            return Problems.Create(ProviderRules.NotFound);
        var credential = await SealedProviderCredentials.ReadAsync(database, masterKey, id, cancellationToken);
        var result = await probe.TryAsync(
            provider.Value.Terms,
            credential,
            request.Model,
            ProviderProbe.Patience,
            cancellationToken
        );
        var outcome = await store.DecideAsync<RegisteredProvider>(
            caller.For(http),
            id,
            current => Decide(current, request.Model, result, time.GetUtcNow()),
            cancellationToken
        );
        return outcome.Match<Results<Ok<ProviderValidationResponse>, ProblemHttpResult>>(
            _ => TypedResults.Ok(ProviderValidationResponse.From(result)),
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(
        RegisteredProvider? provider,
        string? model,
        ProbeResult result,
        DateTimeOffset now
    ) =>
        provider is null or { DeletedAt: not null }
            ? ProviderRules.Refuse(ProviderRules.NotFound)
            : Decision.Append(new ProviderValidated(ProviderValidation.Of(result, model, now)));
}
