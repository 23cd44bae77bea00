using System.Diagnostics;
using System.Globalization;
using System.Net;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class LoadModeTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", "gpt-fake")]
    [InlineData("\"stream\":true", "gpt-fake")]
    [InlineData("\"stream\":true", "gpt-fake@chunks=50")]
    [InlineData("\"stream\":true,\"stream_options\":{\"include_usage\":true}", "gpt-other")]
    [InlineData("\"stream\":true,\"stream_options\":{\"include_obfuscation\":false}", "gpt-fake")]
    [InlineData("\"n\":2", "gpt-fake")]
    [InlineData("\"x_upstream\":{\"status\":429}", "gpt-fake")]
    [InlineData("\"x_upstream\":{\"split_every\":100}", "gpt-fake")]
    [InlineData("\"x_upstream\":{\"nonsense\":1}", "gpt-fake")]
    public async Task The_answers_are_those_of_a_provider_that_records(string more, string model)
    {
        await using var fast = await StartAsync(record: false);
        await using var full = await StartAsync(record: true);
        var body = Wire.Chat(more, model);

        var expected = await AnswerAsync(full, body);
        // The second comes from memory.
        Assert.Equal(expected, await AnswerAsync(fast, body));
        Assert.Equal(expected, await AnswerAsync(fast, body));
        Assert.Empty(fast.Requests.All);
        Assert.Single(full.Requests.All);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"stream\":true")]
    [InlineData("\"stream\":true,\"x_upstream\":{\"chunks\":50}")]
    [InlineData("\"x_upstream\":{\"status\":529}")]
    [InlineData("\"nonsense\":1")]
    public async Task Messages_are_those_of_a_provider_that_records(string more)
    {
        await using var fast = await StartAsync(record: false);
        await using var full = await StartAsync(record: true);
        var body = AnthropicWire.Message(more);

        var expected = await MessageAsync(full, body);
        Assert.Equal(expected, await MessageAsync(fast, body));
        Assert.Equal(expected, await MessageAsync(fast, body));

        static async Task<(int, string)> MessageAsync(FakeProvider provider, string body)
        {
            using var response = await provider.MessageAsync(body);
            var text = await response.Content.ReadAsStringAsync(Cancelled);
            // The id of the request is another one each time, in the header and in the body.
            if (response.Headers.GetValues("request-id").Single() is { } id)
                text = text.Replace(id, "req", StringComparison.Ordinal);
            return ((int)response.StatusCode, AnthropicWire.Fixed(text));
        }
    }

    [Fact]
    public async Task Kept_messages_are_not_given_to_who_has_no_key()
    {
        await using var provider = await StartAsync(record: false);
        await provider.MessageJsonAsync(AnthropicWire.Message());
        using var response = await provider.PostAsync("messages", Wire.Json(AnthropicWire.Message()));

        await response.AnthropicErrorAsync(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Kept_answers_are_not_confused()
    {
        await using var provider = await StartAsync(record: false);
        // More than are kept, each asked for twice.
        var models = Enumerable
            .Range(0, 100)
            .Select(static i => string.Create(CultureInfo.InvariantCulture, $"gpt-{i}"))
            .ToList();

        foreach (var model in models.Concat(models))
            Assert.Equal(model, (await provider.JsonAsync(Wire.Chat(model: model))).GetProperty("model").GetString());
        var byBody = await provider.JsonAsync(Wire.Chat("\"x_upstream\":{\"text\":\"other\"}", "gpt-1"));
        Assert.Equal(
            "other",
            byBody.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()
        );
    }

    [Fact]
    public async Task An_echo_is_never_kept()
    {
        await using var provider = await StartAsync(record: false);

        foreach (var user in new[] { "one", "two" })
        {
            var text = await provider.TextAsync(Wire.Chat($"\"user\":\"{user}\"", "gpt-fake@echo"));
            Assert.Contains($"\\\"user\\\":\\\"{user}\\\"", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"times":1,"marker":"m"}""", "times")]
    [InlineData("""{"attempts":[{}],"marker":"m"}""", "attempts")]
    [InlineData("""{"hold_after":1}""", "hold_after")]
    public async Task Commands_that_need_a_record_are_refused(string commands, string command)
    {
        await using var provider = await StartAsync(record: false);
        using var response = await provider.PostAsync(Wire.Chat($"\"x_upstream\":{commands}"));

        Assert.Equal(
            $"The command '{command}' works only where requests are recorded.",
            (await response.ErrorAsync(HttpStatusCode.BadRequest)).GetProperty("message").GetString()
        );
    }

    [Fact]
    public async Task A_cut_comes_right_after_the_bytes_before_it()
    {
        await using var provider = await StartAsync(record: false);
        var raw = await provider.RawAsync(Wire.Chat("\"stream\":true,\"x_upstream\":{\"cut_after\":\"3+5\"}"));

        Assert.Equal((ConnectionEnd.Reset, 4), (raw.End, raw.Chunks().Count));
        Assert.Equal("data:", raw.Chunks()[3]);
    }

    [Fact]
    public async Task It_runs_as_a_process_of_its_own()
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { typeof(FakeProvider).Assembly.Location, "--urls", "http://127.0.0.1:0" },
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(Cancelled);
            Assert.StartsWith("listening on http://127.0.0.1:", line, StringComparison.Ordinal);
            using var client = new HttpClient();
            client.BaseAddress = new Uri(line!["listening on ".Length..]);
            Assert.Contains(
                "gpt-fake",
                await client.GetStringAsync(new Uri("models", UriKind.Relative), Cancelled),
                StringComparison.Ordinal
            );
        }
        finally
        {
            process.Kill();
        }
    }

    [Theory]
    [InlineData]
    [InlineData("--urls")]
    [InlineData("--urls", "http://0.0.0.0:9090")]
    [InlineData("--urls", "https://127.0.0.1:9090")]
    [InlineData("--urls", "http://127.0.0.1:9090/v1")]
    public async Task A_wrong_command_line_is_explained(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(FakeProvider).Assembly.Location, .. arguments])
        {
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        var error = await process.StandardError.ReadToEndAsync(Cancelled);
        await process.WaitForExitAsync(Cancelled);

        Assert.Equal(2, process.ExitCode);
        Assert.StartsWith("usage: --urls http://127.0.0.1:<port>", error, StringComparison.Ordinal);
    }

    private static Task<FakeProvider> StartAsync(bool record) =>
        FakeProvider.StartAsync(new FakeProviderOptions { Record = record }, Cancelled);

    private static async Task<string> AnswerAsync(FakeProvider provider, string body)
    {
        using var response = await provider.PostAsync(body);
        var text = await response.Content.ReadAsStringAsync(Cancelled);
        return $"{(int)response.StatusCode} {response.Content.Headers} {Wire.Fixed(text)}";
    }
}
