using System.ComponentModel;
using Npgsql;
using Verbatim.Modules.Gateway.Inferences;

namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>A call in a list.</summary>
/// <param name="Id">The call, and the stream of its events.</param>
/// <param name="StartedAt">When its intent was recorded.</param>
/// <param name="EndedAt">When its outcome was recorded; null while it is under way.</param>
/// <param name="Status">What became of it.</param>
/// <param name="Wire">The wire that the caller spoke: <c>openai.chat-completions</c>.</param>
/// <param name="Model">The model's name as the caller wrote it.</param>
/// <param name="Deployment">Where it went in the end.</param>
/// <param name="Provider">What kind of provider that is.</param>
/// <param name="Stream">The answer was wanted as a stream.</param>
/// <param name="UserId">The person, service account or client behind the credential.</param>
/// <param name="ApiKeyId">The API key, if one was used.</param>
/// <param name="ProjectId">The project of the credential.</param>
/// <param name="ClientRequestId">The client's own id of the request.</param>
/// <param name="Recording">Whether the bodies were kept.</param>
/// <param name="AttemptCount">How many tries there were; 0 while it is under way.</param>
/// <param name="Usage">The tokens that were counted.</param>
/// <param name="Cost">What it cost, in US dollars.</param>
/// <param name="Latency">How long it took.</param>
/// <param name="ErrorCode">Why there is no full answer.</param>
/// <param name="ErrorStatus">The HTTP status that the caller was given for it.</param>
internal sealed record InferenceSummary(
    Guid Id,
    DateTime StartedAt,
    DateTime? EndedAt,
    string Status,
    string Wire,
    string Model,
    string Deployment,
    string Provider,
    bool Stream,
    Guid UserId,
    Guid? ApiKeyId,
    Guid? ProjectId,
    [property: Description("The client's own id of the request, from `x-client-request-id`.")] string? ClientRequestId,
    [property: Description("`full` or `metadata`.")] string Recording,
    int AttemptCount,
    Usage? Usage,
    decimal? Cost,
    Latency? Latency,
    string? ErrorCode,
    int? ErrorStatus
)
{
    public static readonly InferenceSummary Example = new(
        Guid.Parse("0199a4c2-8b1e-7f3d-9a51-c3e07b64d218"),
        new DateTime(2026, 1, 31, 12, 0, 0, DateTimeKind.Utc),
        new DateTime(2026, 1, 31, 12, 0, 1, DateTimeKind.Utc),
        "completed",
        "openai.chat-completions",
        "simulator",
        "simulator",
        "simulator",
        Stream: false,
        Guid.Parse("0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35"),
        Guid.Parse("0198c7f0-6b2e-7d10-b7c4-2f8a1e5d9c03"),
        ProjectId: null,
        ClientRequestId: "billing:42",
        "full",
        AttemptCount: 1,
        new Usage(1, 6, 7, CachedInputTokens: null, CacheWriteTokens: null, ReasoningTokens: null, Estimated: false),
        Cost: null,
        new Latency(3.2, 4.1),
        ErrorCode: null,
        ErrorStatus: null
    );

    /// <summary>Reads a row of <see cref="IndexQuery.Columns"/>.</summary>
    public static InferenceSummary Read(NpgsqlDataReader row)
    {
        var input = Number(16);
        var output = Number(17);
        var total = Number(18);
        return new InferenceSummary(
            row.GetGuid(0),
            row.GetDateTime(2),
            row.IsDBNull(3) ? null : row.GetDateTime(3),
            row.GetString(7),
            row.GetString(8),
            row.GetString(9),
            row.GetString(10),
            row.GetString(11),
            row.GetBoolean(12),
            row.GetGuid(4),
            row.IsDBNull(5) ? null : row.GetGuid(5),
            row.IsDBNull(6) ? null : row.GetGuid(6),
            Text(14),
            row.GetString(13),
            row.GetInt16(15),
            input is null && output is null && total is null
                ? null
                : new Usage(input, output, total, Number(19), Number(20), Number(21), row.GetBoolean(22)),
            row.IsDBNull(23) ? null : row.GetDecimal(23),
            row.IsDBNull(25) ? null : new Latency(row.IsDBNull(24) ? null : row.GetDouble(24), row.GetDouble(25)),
            Text(26),
            row.IsDBNull(27) ? null : row.GetInt32(27)
        );

        long? Number(int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
        string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
    }
}
