using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.InferenceIndex;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>Which calls to list: those to which all filters apply.</summary>
public sealed record ListInferencesRequest : IValidatableObject
{
    /// <summary>The model's name.</summary>
    [StringLength(200, MinimumLength = 1)]
    [Description("Only calls of this model, as the caller wrote it.")]
    public string? Model { get; init; }

    /// <summary>Where it went.</summary>
    [StringLength(200, MinimumLength = 1)]
    [Description("Only calls that went to this deployment in the end.")]
    public string? Deployment { get; init; }

    /// <summary>What kind of provider it went to.</summary>
    [StringLength(50, MinimumLength = 1)]
    [Description("Only calls that went to a provider of this kind: `openai`, `anthropic`, `simulator` …")]
    public string? Provider { get; init; }

    /// <summary>The API key.</summary>
    [QueryId]
    [Description("Only calls made with this API key.")]
    public string? ApiKeyId { get; init; }

    /// <summary>Who called.</summary>
    [QueryId]
    [Description("Only calls of this person, service account or client.")]
    public string? UserId { get; init; }

    /// <summary>The project.</summary>
    [QueryId]
    [Description("Only calls with a credential of this project.")]
    public string? ProjectId { get; init; }

    /// <summary>The client's own id.</summary>
    [StringLength(200, MinimumLength = 1)]
    [Description("Only calls that the client gave this id, in `x-client-request-id`.")]
    public string? ClientRequestId { get; init; }

    /// <summary>What became of it.</summary>
    [QueryWord("started", "completed", "failed", "cancelled", "unknown")]
    [Description("Only calls in this state.")]
    public string? Status { get; init; }

    /// <summary>The wire that the caller spoke.</summary>
    [StringLength(100, MinimumLength = 1)]
    [Description("Only calls on this wire: `openai.chat-completions`, `anthropic.messages` …")]
    public string? Wire { get; init; }

    /// <summary>Streams, or the others.</summary>
    [QueryWord("true", "false")]
    [Description("`true` for streams only, `false` for all others.")]
    public string? Stream { get; init; }

    /// <summary>The begin of the window, itself in it.</summary>
    [Instant]
    [Description("Only calls that began at this instant or later (RFC 3339).")]
    public string? From { get; init; }

    /// <summary>The end of the window, itself not in it.</summary>
    [Instant]
    [Description("Only calls that began before this instant (RFC 3339).")]
    public string? To { get; init; }

    /// <summary>The least cost.</summary>
    [QueryAmount]
    [Description("Only calls that cost this much or more, in US dollars.")]
    public string? MinCost { get; init; }

    /// <summary>The highest cost.</summary>
    [QueryAmount]
    [Description("Only calls that cost this much or less, in US dollars.")]
    public string? MaxCost { get; init; }

    /// <summary>The least time.</summary>
    [QueryAmount]
    [Description("Only calls that took this many milliseconds or longer.")]
    public string? MinLatencyMs { get; init; }

    /// <summary>Why there is no full answer.</summary>
    [StringLength(100, MinimumLength = 1)]
    [Description("Only calls that failed with this code: `upstream-timeout`, `upstream-status` …")]
    public string? Error { get; init; }

    /// <summary>What was said.</summary>
    [StringLength(200, MinimumLength = 1)]
    [Description(
        "Only calls in which all of these words were asked or answered, in any order and case. The last 16 KB of a request's text are looked at, and the first 16 KB of an answer's."
    )]
    public string? Text { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Instant.TryParse(From, out var from) && Instant.TryParse(To, out var to) && from.Ceiling >= to.Ceiling)
            yield return new ValidationResult("Give an instant after 'from'.", [nameof(To)]);
        if (
            QueryAmountAttribute.TryParse(MinCost, out var least)
            && QueryAmountAttribute.TryParse(MaxCost, out var most)
            && least > most
        )
            yield return new ValidationResult("Give an amount that is not less than 'minCost'.", [nameof(MaxCost)]);
        if (Text is not null && !Text.EnumerateRunes().Any(System.Text.Rune.IsLetterOrDigit))
            yield return new ValidationResult("Give at least one word.", [nameof(Text)]);
    }

    internal InferenceFilter ToFilter() =>
        new()
        {
            Model = Model,
            Deployment = Deployment,
            Provider = Provider,
            ApiKeyId = IdOf(ApiKeyId),
            UserId = IdOf(UserId),
            ProjectId = IdOf(ProjectId),
            ClientRequestId = ClientRequestId,
            Status = Status,
            Wire = Wire,
            Stream = Stream is null ? null : Stream == "true",
            From = Instant.TryParse(From, out var from) ? from.Ceiling : null,
            Before = Instant.TryParse(To, out var to) ? to.Ceiling : null,
            MinCost = QueryAmountAttribute.TryParse(MinCost, out var least) ? least : null,
            MaxCost = QueryAmountAttribute.TryParse(MaxCost, out var most) ? most : null,
            MinLatencyMs = QueryAmountAttribute.TryParse(MinLatencyMs, out var latency) ? (double)latency : null,
            Error = Error,
            Text = Text,
        };

    private static Guid? IdOf(string? text) => Guid.TryParseExact(text, "D", out var id) ? id : null;
}

/// <summary>A query parameter that is an amount: a decimal number, zero or more.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class QueryAmountAttribute : QueryTextAttribute
{
    public static bool TryParse(string? text, out decimal amount) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out amount);

    public override bool IsValid(object? value) => value is null || TryParse(value as string, out _);

    public override string FormatErrorMessage(string name) => "Give a number, zero or more, such as 0.25.";

    public override void Describe(Microsoft.OpenApi.OpenApiSchema schema)
    {
        schema.Type = Microsoft.OpenApi.JsonSchemaType.Number;
        schema.Minimum = "0";
    }
}

internal sealed class ListInferences : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/inferences", HandleAsync)
            .RequireScope(Scopes.InferencesRead)
            .WithTags("Inferences")
            .WithSummary("List model calls")
            .WithDescription(
                """
                The calls that you made, newest first; for administrators and auditors those of the whole organization. All filters apply at once.

                The list is behind the log by a fraction of a second: a call that was answered just now may not be there yet, while
                `GET /api/inferences/{id}` has it. A page may be shorter than `limit` and not be the last, since a page looks at a bounded number of
                calls: `nextCursor` tells. Send the same filters with the cursor.
                """
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<InferenceSummary>([InferenceSummary.Example], NextCursor: null)
            )
            .ProducesError(400, PageRequest.InvalidCursor.Code, PageRequest.InvalidCursor.Message);

    private static async Task<Results<Ok<Page<InferenceSummary>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] ListInferencesRequest request,
        [AsParameters] PageRequest page,
        Caller caller,
        InferenceListing listing,
        CancellationToken cancellationToken
    )
    {
        if (!page.TryReadIdCursor(out var before))
            return Problems.Create(PageRequest.InvalidCursor);
        var (rows, next) = await listing.ReadAsync(
            caller.Access,
            request.ToFilter(),
            before,
            page.Rows,
            cancellationToken
        );
        return TypedResults.Ok(
            new Page<InferenceSummary>(rows, next is { } last ? Cursor.Write(last.ToString("N")) : null)
        );
    }
}
