using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway;

/// <summary>
/// Requests and answers that are broken at random. Whatever comes, the caller has an answer or an error of its own wire, never a fault of the server,
/// and each call that is on record has one outcome. A failure prints the seed that brings it again.
/// </summary>
public sealed class GatewayFuzzTests(ConformanceHost gateway) : IClassFixture<ConformanceHost>
{
    private const int Cases = 150;

    private static readonly string[] Wires = ["chat", "responses", "messages"];

    private static readonly string[] Paths = ["/v1/chat/completions", "/v1/responses", "/v1/messages"];

    private static readonly string[] ContentTypes =
    [
        "application/json",
        "application/json",
        "application/json",
        "application/json; charset=utf-8",
        "application/json; charset=utf-16",
        "text/plain",
        "application/x-www-form-urlencoded",
    ];

    private static readonly byte[][] Intruders =
    [
        [0xFF],
        [0xC3, 0x28],
        [0xED, 0xA0, 0x80],
        [0],
        "\\ud800"u8.ToArray(),
        "1e999"u8.ToArray(),
        "-99999999999999999999999999"u8.ToArray(),
        "null"u8.ToArray(),
        "\""u8.ToArray(),
        ",\"model\":\"gpt-fake\""u8.ToArray(),
        Encoding.ASCII.GetBytes(new string('[', 5000)),
        Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 3000))),
        Encoding.ASCII.GetBytes(new string('9', 2000)),
    ];

    private static readonly string[] Faults =
    [
        "split-every=1",
        "split-every=7",
        "garbage-after=2",
        "unknown-after=2",
        "error-after=2,error-message=" + BrokenEscaped,
        "end-after=2",
        "end-after=1%2B17",
        "cut-after=2",
        "cut-after=1%2B9",
        "close-after=2",
        "bom",
        "line-ending=cr",
        "line-ending=crlf",
        "multiline",
        "space=false",
        "comment=x",
        "done=false",
        "usage=wrong",
        "usage=none",
        "usage=null",
        "choices=null",
        "choices=missing",
        "unknown-block",
        "content-type=text/html",
        "body=%7B%7D",
        "body=%5B%5D",
        "body=",
        "body=data:%20%7B%7D%0A%0A",
        "body=%7B%22choices%22:%5B%7B%22message%22:%7B%22tool_calls%22:%5B1%5D%7D%7D%5D%7D",
        "body=%7B%22content%22:%5B%7B%22type%22:%22tool_use%22%7D%5D,%22type%22:%22message%22%7D",
        "chunked",
        "tool-calls=3",
        "reasoning",
    ];

    private const string Broken = "It broke.";
    private const string BrokenEscaped = "It%20broke.";

    private int _deployment;

    [Fact]
    public void Broken_requests_are_answered_in_the_callers_wire() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(Cases),
            Prop.ForAll(Gen.ArrayOf(Gen.Choose(0, 1_000_000), 12).ToArbitrary(), dice => Ends(AskBroken(dice)))
        );

    [Fact]
    public void Broken_answers_are_told_in_the_callers_wire() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(Cases),
            Prop.ForAll(Gen.ArrayOf(Gen.Choose(0, 1_000_000), 12).ToArbitrary(), dice => Ends(AskForBroken(dice)))
        );

    private static bool Ends(Task asking)
    {
        // FsCheck's properties are not asynchronous.
        asking.WaitAsync(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();
        return true;
    }

    private async Task AskBroken(int[] dice)
    {
        if (dice.Length < 12)
            return;
        var wire = dice[0] % 3;
        var features = Feature.ReadAll().Where(f => f.IsOn(Wires[wire]) && f.Status is null && !f.Breaks).ToList();
        var kind = ConformanceHost.Kinds.Keys.ElementAt(dice[1] % ConformanceHost.Kinds.Count);
        var body = Encoding
            .UTF8.GetBytes(
                features[dice[2] % features.Count].BodyFor(Wires[wire], ConformanceHost.Model(kind), dice[3] % 2 == 0)
            )
            .ToList();
        for (var i = 0; i <= dice[4] % 3; i++)
            Break(body, dice[5 + i * 2], dice[6 + i * 2]);
        await AskAsync(wire, [.. body], ContentTypes[dice[11] % ContentTypes.Length]);
    }

    private static void Break(List<byte> body, int how, int where)
    {
        var at = where % (body.Count + 1);
        var length = Math.Min(how / 4 % 20, body.Count - at);
        switch (how % 4)
        {
            case 0:
                body.InsertRange(at, Intruders[how / 4 % Intruders.Length]);
                break;
            case 1:
                body.RemoveRange(at, length);
                break;
            case 2:
                body.InsertRange(at, body.GetRange(at, length));
                break;
            default:
                if (at < body.Count)
                    body[at] = (byte)(how / 4);
                break;
        }
    }

    private async Task AskForBroken(int[] dice)
    {
        if (dice.Length < 12)
            return;
        var wire = dice[0] % 3;
        var kind = ConformanceHost.Kinds.Keys.ElementAt(dice[1] % ConformanceHost.Kinds.Count);
        var faults = new[] { Faults[dice[2] % Faults.Length], Faults[dice[3] % Faults.Length] };
        // Calls go round, so that no circuit opens and hides what a broken answer comes to.
        var model = ConformanceHost.ModelThatMayBreak(kind, Interlocked.Increment(ref _deployment));
        var body = new JsonObject
        {
            ["model"] = $"{model}@{string.Join(',', faults.Distinct(StringComparer.Ordinal))}",
            ["stream"] = dice[4] % 3 > 0,
        };
        if (wire == 1)
            body["input"] = "Hello";
        else
            body["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello" });
        if (wire == 2)
            body["max_tokens"] = 100;
        await AskAsync(wire, Encoding.UTF8.GetBytes(body.ToJsonString()), "application/json");
    }

    private async Task AskAsync(int wire, byte[] body, string contentType)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var client = gateway.Host.As(gateway.ApiKey);
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        using var request = new HttpRequestMessage(HttpMethod.Post, Paths[wire]) { Content = content };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        var answer = await response.Content.ReadAsByteArrayAsync(cancellation);
        var told = $"{(int)response.StatusCode} {Encoding.UTF8.GetString(answer)} to {Encoding.UTF8.GetString(body)}";

        // A 500 may be the provider's own, never ours.
        Assert.True(
            response.StatusCode != HttpStatusCode.InternalServerError
                || told.Contains(Broken, StringComparison.Ordinal),
            told
        );
        if (!response.IsSuccessStatusCode)
            Assert.True(IsError(wire, answer), told);
        if (response.Headers.TryGetValues(GatewayHost.InferenceIdHeader, out var ids))
        {
            var id = Guid.Parse(ids.Single());
            _ = await gateway.OutcomeOfAsync(id, cancellation);
            // The start and one outcome, whatever happened.
            Assert.Equal(2, (await gateway.RecordOfAsync(id, cancellation)).Count);
        }
    }

    private static bool IsError(int wire, byte[] answer)
    {
        try
        {
            var json = JsonNode.Parse(answer);
            return json?["error"]?["message"]?.GetValue<string>().Length > 0
                && (wire != 2 || json["type"]?.GetValue<string>() == "error");
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
