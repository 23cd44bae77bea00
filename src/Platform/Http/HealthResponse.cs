namespace Verbatim.Platform.Http;

/// <summary>How the instance is.</summary>
/// <param name="Status"><c>live</c> or <c>ready</c>.</param>
public sealed record HealthResponse(string Status);
