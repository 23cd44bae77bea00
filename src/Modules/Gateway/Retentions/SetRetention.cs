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
using Verbatim.Platform.PersonalData;

namespace Verbatim.Modules.Gateway.Retentions;

/// <summary>For how long model calls are to be shown.</summary>
public sealed record InferenceRetention(
    [property: Range(1, InferenceRetention.MaxDays)]
    [property: Description(
        "Days for which the bodies are answered and searched; then their keys are destroyed. Null for ever."
    )]
        int? FullDays,
    [property: Range(1, InferenceRetention.MaxDays)]
    [property: Description("Days for which a call is listed and read at all; null for ever.")]
        int? MetadataDays
) : IValidatableObject
{
    /// <summary>A hundred years.</summary>
    public const int MaxDays = 36_500;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MetadataDays is { } days && (FullDays is not { } full || full > days))
            yield return new ValidationResult(
                "Bodies are not shown for longer than the calls that they belong to: give no more than 'metadataDays'.",
                [nameof(FullDays)]
            );
    }
}

/// <summary>For how long what is recorded is to be shown.</summary>
public sealed record SetRetentionRequest(
    [property: Required] [property: Description("Model calls.")] InferenceRetention? Inferences
);

internal sealed class SetRetention : IEndpoint
{
    private static readonly SetRetentionRequest Example = new(new InferenceRetention(FullDays: 30, MetadataDays: 400));

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPut("/retention", HandleAsync)
            .RequireScope(Scopes.OrganizationsWrite)
            .WithTags("Retention")
            .WithSummary("Set for how long calls are shown")
            .WithDescription(
                """
                Holds at once for `GET /api/inferences`, which then neither lists, searches nor answers what is older. When a setting has held for 24 hours,
                the keys of the days before `fullDays` are destroyed, within an hour: from then on **nobody can read the bodies of those days**, neither in
                the audit nor in an export. That cannot be undone; until then the setting can be changed back. The events of every call
                stay in the log, with their proofs.
                """
            )
            .WithRequestExample(Example)
            .WithResponseExample(
                StatusCodes.Status200OK,
                new RetentionResponse(Example.Inferences!, ErasedThrough: null)
            );

    private static async Task<Results<Ok<RetentionResponse>, ProblemHttpResult>> HandleAsync(
        SetRetentionRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        PersonalDays days,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<Retention>(
            caller.For(http),
            Retention.IdOf(caller.TenantId),
            retention => Decide(retention, request),
            cancellationToken
        );
        var erasedThrough = await days.FindLastErasedAsync(caller.TenantId, cancellationToken);
        return outcome.Match<Results<Ok<RetentionResponse>, ProblemHttpResult>>(
            retention =>
            {
                EntityTags.Set(http, retention.Version);
                return TypedResults.Ok(RetentionResponse.Of(retention.Value, erasedThrough));
            },
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(Retention? retention, SetRetentionRequest request)
    {
        var wanted = new Retention(request.Inferences!.FullDays, request.Inferences.MetadataDays);
        return retention == wanted
            ? Decision.Nothing
            : Decision.Append(new RetentionSet(wanted.FullDays, wanted.MetadataDays));
    }
}
