using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Responses;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Gateway.Responses;

public sealed class BackgroundStateTests
{
    private const string Complete = """{"id":"resp_1","status":"completed","output":[1]}""";
    private const string Cut = """{"id":"resp_1","status":"incomplete","output":[1]}""";

    private static readonly Guid Id = Guid.Parse("0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77");

    // Internal types cannot be parameters of a test, so their names are.
    [Theory]
    [InlineData("Started", "", false, "queued")]
    [InlineData("Started", "", true, "in_progress")]
    [InlineData("Completed", Complete, true, "completed")]
    [InlineData("Completed", Complete, false, "completed")]
    [InlineData("Completed", Cut, true, "incomplete")]
    [InlineData("Failed", "", true, "failed")]
    [InlineData("Unknown", "", true, "failed")]
    [InlineData("Cancelled", "", true, "failed")]
    public void It_stands_as_its_record_does(string call, string answer, bool hasBegun, string expected)
    {
        Assert.Equal(expected, StatusOf(CallOf(call, answer), Row with { HasBegun = hasBegun }));
    }

    [Theory]
    [InlineData("Started", "")]
    [InlineData("Completed", Complete)]
    [InlineData("Cancelled", "")]
    [InlineData("Unknown", "")]
    public void What_was_cancelled_or_lost_once_stays_so(string call, string answer)
    {
        var inference = CallOf(call, answer);
        var lost = Write(inference, Row with { IsLost = true });
        var cancelled = Write(inference, Row with { IsCancelled = true, IsLost = true });

        Assert.Equal("failed", lost["status"]!.GetValue<string>());
        Assert.Equal("server_error", lost["error"]!["code"]!.GetValue<string>());
        Assert.Equal("cancelled", cancelled["status"]!.GetValue<string>());
        Assert.Null(cancelled["error"]);
        Assert.All((JsonNode[])[lost, cancelled], r => Assert.Empty(r["output"]!.AsArray()));
    }

    [Theory]
    [InlineData(
        "upstream-status",
        400,
        """{"error":{"message":"Too long.","code":"invalid_prompt"}}""",
        "Too long.",
        "invalid_prompt"
    )]
    [InlineData("upstream-status", 429, """{"error":{"message":"Slowly."}}""", "Slowly.", "rate_limit_exceeded")]
    [InlineData(
        "upstream-status",
        404,
        """{"error":{"message":"What?","code":"model_not_found"}}""",
        "What?",
        "server_error"
    )]
    [InlineData(
        "upstream-error",
        200,
        """{"id":"x","error":{"message":"It broke.","code":"y"}}""",
        "It broke.",
        "server_error"
    )]
    [InlineData("upstream-error", 200, """{"id":"x"}""", "Ours.", "server_error")]
    [InlineData("upstream-timeout", 504, "", "Ours.", "server_error")]
    [InlineData("upstream-status", 500, "\"no object\"", "Ours.", "server_error")]
    public void What_failed_says_why(string error, int status, string answer, string message, string code)
    {
        var inference = CallOf("Failed", answer) with { Error = new InferenceError(error, status, "Ours.") };
        var response = Write(inference, Row);

        Assert.Equal("failed", response["status"]!.GetValue<string>());
        Assert.Equal(message, response["error"]!["message"]!.GetValue<string>());
        Assert.Equal(code, response["error"]!["code"]!.GetValue<string>());
    }

    [Fact]
    public void Without_an_answer_it_repeats_what_was_asked()
    {
        var response = Write(CallOf("Started", ""), Row);

        Assert.Equal($"resp_{Id:N}", response["id"]!.GetValue<string>());
        Assert.Equal("response", response["object"]!.GetValue<string>());
        Assert.Equal(1_700_000_000, response["created_at"]!.GetValue<long>());
        Assert.Equal("fast", response["model"]!.GetValue<string>());
        Assert.Equal("Be brief.", response["instructions"]!.GetValue<string>());
        Assert.Equal("resp_0", response["previous_response_id"]!.GetValue<string>());
        Assert.Equal("b", response["metadata"]!["a"]!.GetValue<string>());
        Assert.True(response["background"]!.GetValue<bool>());
        Assert.Null(response["usage"]);
    }

    private static readonly BackgroundRow Row = new(
        Id,
        Id,
        Id,
        IsStreamed: true,
        DateTimeOffset.FromUnixTimeSeconds(1_700_000_000),
        HasBegun: true,
        IsCancelled: false,
        IsLost: false,
        HasEnded: false
    );

    private static Inference CallOf(string status, string answer) =>
        new(
            Enum.Parse<InferenceStatus>(status),
            "openai.responses",
            "fast",
            "fake",
            "openai",
            Stream: true,
            Id,
            ProjectId: null,
            ClientRequestId: null,
            RecordingLevel.Full,
            Error: null,
            Attempts: null,
            Usage: null,
            Cost: null,
            Latency: null,
            RequestDigest: null,
            Json(
                """{"model":"fast","input":"Hello","background":true,"instructions":"Be brief.","previous_response_id":"resp_0","metadata":{"a":"b"}}"""
            ),
            ResponseDigest: null,
            answer.Length == 0 ? null : Json(answer)
        );

    private static RawJson Json(string text) => new(Encoding.UTF8.GetBytes(text));

    private static string StatusOf(Inference inference, BackgroundRow row)
    {
        var status = ResponseStatuses.NameOf(BackgroundState.StatusOf(inference, row));
        Assert.Equal(status, Write(inference, row)["status"]!.GetValue<string>());
        return status;
    }

    private static JsonNode Write(Inference inference, BackgroundRow row) =>
        JsonNode.Parse(BackgroundState.Write(Id, inference, row).Span)!;
}
