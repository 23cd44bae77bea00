using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Tests.Integration.Gateway.Conformance;
using Verbatim.Tests.Upstream;
using static Verbatim.Tests.Integration.Gateway.Responses.Background;

namespace Verbatim.Tests.Integration.Gateway.Responses;

public sealed class BackgroundResponseTests(ConformanceHost gateway) : IClassFixture<ConformanceHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.DistinctKinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_is_there_at_once_goes_on_without_the_client_and_ends_as_it_would_have(string kind)
    {
        var marker = Guid.NewGuid().ToString();
        using var client = gateway.Host.As(gateway.ApiKey);
        using var answer = await PostAsync(
            client,
            ResponsesPath,
            Body($"{ConformanceHost.Model(kind)}@hold-after=request", marker)
        );
        var created = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!;
        var id = IdOf(created);

        Assert.Contains(StatusOf(created), (string[])["queued", "in_progress"]);
        Assert.True(created["background"]!.GetValue<bool>());
        Assert.Empty(created["output"]!.AsArray());
        var asked = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        Assert.Null(JsonNode.Parse(asked.BodyText)!["background"]);
        await asked.HeldAsync(Cancellation);
        while (StatusOf(await GetAsync(client, id)) == "queued")
            await Task.Delay(10, Cancellation);
        Assert.Equal("in_progress", StatusOf(await GetAsync(client, id)));

        asked.Release();
        var ended = await EndedAsync(client, id);

        Assert.Equal("completed", StatusOf(ended));
        Assert.Equal(id, IdOf(ended));
        Assert.Equal(created["created_at"]!.GetValue<long>(), ended["created_at"]!.GetValue<long>());
        Assert.True(ended["background"]!.GetValue<bool>());
        Assert.Equal(Hello, TextOf(ended));
        Assert.Equal(19, ended["usage"]!["input_tokens"]!.GetValue<int>());
        Assert.Single(gateway.Provider.Requests.Of(marker));
        var inference = await gateway.InferenceAsync(answer, Cancellation);
        Assert.Equal(InferenceStatus.Completed, inference.Status);
        Assert.True(JsonNode.DeepEquals(ended, JsonNode.Parse(inference.Response!.Value.Utf8.Span)));
        Assert.True(JsonNode.Parse(inference.Request!.Value.Utf8.Span)!["background"]!.GetValue<bool>());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Cancelling_ends_the_call_at_the_provider_and_says_so_every_time(string kind)
    {
        var marker = Guid.NewGuid().ToString();
        using var client = gateway.Host.As(gateway.ApiKey);
        using var answer = await PostAsync(
            client,
            ResponsesPath,
            Body($"{ConformanceHost.Model(kind)}@hold-after=request", marker)
        );
        var id = IdOf(JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!);
        var asked = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        await asked.HeldAsync(Cancellation);

        var cancelled = await CancelAsync(client, id);
        await asked.Finished.WaitAsync(TimeSpan.FromSeconds(2), Cancellation);

        Assert.Equal("cancelled", StatusOf(cancelled));
        Assert.Empty(cancelled["output"]!.AsArray());
        Assert.Equal(ExchangeOutcome.ClientLeft, asked.Outcome);
        Assert.True(JsonNode.DeepEquals(cancelled, await CancelAsync(client, id)));
        Assert.True(JsonNode.DeepEquals(cancelled, await GetAsync(client, id)));
        var outcome = await gateway.OutcomeOfAsync(
            Guid.Parse(answer.Headers.GetValues(GatewayHost.InferenceIdHeader).Single()),
            Cancellation
        );
        Assert.Equal("gateway.inference-cancelled", outcome.Type);
        Assert.True(JsonNode.DeepEquals(cancelled, await GetAsync(client, id)));
    }

    [Fact]
    public async Task Only_what_is_under_way_in_the_background_can_be_cancelled()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        var id = IdOf(await CreateAsync(client, Body("gpt-fake", "Hello")));
        await EndedAsync(client, id);
        var completed = await RefusedAsync(
            PostAsync(client, $"{ResponsesPath}/{id}/cancel"),
            HttpStatusCode.BadRequest
        );
        Assert.Equal("Cannot cancel a completed response.", completed["message"]!.GetValue<string>());

        var plain = IdOf(await CreateAsync(client, """{"model":"gpt-fake","input":"Hello"}"""));
        var synchronous = await RefusedAsync(
            PostAsync(client, $"{ResponsesPath}/{plain}/cancel"),
            HttpStatusCode.BadRequest
        );
        Assert.Equal("Cannot cancel a synchronous response.", synchronous["message"]!.GetValue<string>());

        await RefusedAsync(PostAsync(client, $"{ResponsesPath}/resp_nobody/cancel"), HttpStatusCode.NotFound);
        using var somebody = await gateway.Host.AsNewAsync("user", Cancellation);
        await RefusedAsync(PostAsync(somebody, $"{ResponsesPath}/{id}/cancel"), HttpStatusCode.NotFound);
        await RefusedAsync(somebody.GetAsync($"{ResponsesPath}/{id}", Cancellation), HttpStatusCode.NotFound);
        await RefusedAsync(
            somebody.GetAsync($"{ResponsesPath}/{id}?stream=true", Cancellation),
            HttpStatusCode.NotFound
        );
    }

    [Fact]
    public async Task What_could_not_be_read_again_is_refused_and_what_is_under_way_is_not_deleted()
    {
        var marker = Guid.NewGuid().ToString();
        using var client = gateway.Host.As(gateway.ApiKey);
        var notStored = await RefusedAsync(
            PostAsync(
                client,
                ResponsesPath,
                """{"model":"gpt-fake","input":"Hello","background":true,"store":false}"""
            ),
            HttpStatusCode.BadRequest
        );
        Assert.Equal("background", notStored["param"]!.GetValue<string>());
        Assert.Equal("unsupported_parameter", notStored["code"]!.GetValue<string>());
        var unknown = await RefusedAsync(
            PostAsync(client, ResponsesPath, Body("nobody", "Hello")),
            HttpStatusCode.NotFound
        );
        Assert.Equal("model_not_found", unknown["code"]!.GetValue<string>());

        var id = IdOf(await CreateAsync(client, Body("gpt-fake@hold-after=request", marker)));
        var early = await RefusedAsync(
            client.DeleteAsync($"{ResponsesPath}/{id}", Cancellation),
            HttpStatusCode.BadRequest
        );
        Assert.Equal("Cannot delete an in-flight response.", early["message"]!.GetValue<string>());
        var previous = await RefusedAsync(
            PostAsync(client, ResponsesPath, Body("gpt-fake", "Hello", previous: id)),
            HttpStatusCode.BadRequest
        );
        Assert.Equal("previous_response_not_found", previous["code"]!.GetValue<string>());
        (await gateway.Provider.Requests.FirstAsync(marker, Cancellation)).Release();
        await EndedAsync(client, id);
        using (var deleted = await client.DeleteAsync($"{ResponsesPath}/{id}", Cancellation))
            Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        await RefusedAsync(client.GetAsync($"{ResponsesPath}/{id}", Cancellation), HttpStatusCode.NotFound);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task What_the_provider_refuses_has_failed_with_its_words(string kind)
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        var id = IdOf(
            await CreateAsync(
                client,
                Body($"{gateway.ModelThatFails(kind)}@status=500,error-message=It%20broke.", "Hello")
            )
        );
        var failed = await EndedAsync(client, id);

        Assert.Equal("failed", StatusOf(failed));
        Assert.Equal(id, IdOf(failed));
        Assert.Equal("It broke.", failed["error"]!["message"]!.GetValue<string>());
        Assert.Equal("server_error", failed["error"]!["code"]!.GetValue<string>());
        var refused = await RefusedAsync(PostAsync(client, $"{ResponsesPath}/{id}/cancel"), HttpStatusCode.BadRequest);
        Assert.Equal("Cannot cancel a failed response.", refused["message"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_answer_that_was_cut_short_is_incomplete()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        var id = IdOf(await CreateAsync(client, Body("gpt-fake@finish-reason=length", "Hello")));

        Assert.Equal("incomplete", StatusOf(await EndedAsync(client, id)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_conversation_goes_on_from_it_and_says_from_what(string kind)
    {
        var marker = Guid.NewGuid().ToString();
        using var client = gateway.Host.As(gateway.ApiKey);
        var model = ConformanceHost.Model(kind);
        var first = IdOf(await CreateAsync(client, Body(model, $"First {marker}")));
        var answered = await EndedAsync(client, first);
        Assert.Equal("completed", StatusOf(answered));
        var second = await CreateAsync(client, Body(model, $"Second {marker}", previous: first));
        Assert.Equal(first, second["previous_response_id"]!.GetValue<string>());
        var ended = await EndedAsync(client, IdOf(second));

        Assert.Equal("completed", StatusOf(ended));
        Assert.Equal(first, ended["previous_response_id"]!.GetValue<string>());
        var asked = JsonNode.Parse(gateway.Provider.Requests.Of($"Second {marker}")[^1].BodyText)!;
        if (kind == "openai")
        {
            // Where it was made it has its own id.
            Assert.NotEqual(first, asked["previous_response_id"]!.GetValue<string>());
            Assert.Equal(JsonValueKind.String, asked["input"]!.GetValueKind());
        }
        else
            Assert.Contains($"First {marker}", asked.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_provider_cannot_do_is_left_out_with_a_warning_there_too()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        client.DefaultRequestHeaders.Add("x-verbatim-unsupported", "warn");
        using var answer = await PostAsync(
            client,
            ResponsesPath,
            """{"model":"gpt-fake","input":"Hello","background":true,"truncation":"auto"}"""
        );

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("truncation", answer.Headers.GetValues("x-verbatim-unsupported").Single());
    }
}
