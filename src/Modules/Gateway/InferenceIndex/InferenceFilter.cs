namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>Which calls are wanted: those to which all that is set applies.</summary>
internal sealed record InferenceFilter
{
    public string? Model { get; init; }
    public string? Deployment { get; init; }
    public string? Provider { get; init; }
    public Guid? ApiKeyId { get; init; }
    public Guid? UserId { get; init; }
    public Guid? ProjectId { get; init; }
    public string? ClientRequestId { get; init; }
    public string? Status { get; init; }
    public string? Wire { get; init; }
    public bool? Stream { get; init; }

    /// <summary>Begun at this instant or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Begun before this instant.</summary>
    public DateTimeOffset? Before { get; init; }
    public decimal? MinCost { get; init; }
    public decimal? MaxCost { get; init; }
    public double? MinLatencyMs { get; init; }
    public string? Error { get; init; }

    /// <summary>All of these words were said; null for any.</summary>
    public string? Text { get; init; }
}
