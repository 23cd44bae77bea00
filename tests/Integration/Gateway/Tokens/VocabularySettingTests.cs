using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Tokens;

/// <summary>
/// <c>Gateway:Vocabulary</c>, in a process of its own: there is one vocabulary for all that is counted in a process.
/// </summary>
public sealed class VocabularySettingTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_no_provider_counts_is_counted_by_the_vocabulary()
    {
        using var home = new TemporaryHome();
        // Each byte is a token, and so is "ab".
        var file = Path.Combine(home.Path, "bytes.tiktoken");
        await File.WriteAllLinesAsync(
            file,
            Enumerable
                .Range(0, 256)
                .Select(b => $"{Convert.ToBase64String([(byte)b])} {b}")
                .Append($"{Convert.ToBase64String("ab"u8)} 256"),
            Cancellation
        );
        await using var host = await HostProcess.StartAsync(
            home.Path,
            Cancellation,
            $"--Gateway:Vocabulary={file}",
            "--Gateway:Deployments:silent:BaseUrl=http://127.0.0.1:9/v1",
            "--Gateway:Deployments:silent:Model=gpt-*"
        );
        using var client = host.Client(host.PrintedKey);

        var nothing = await CountAsync(client, "x") - 1;
        Assert.Equal(nothing + 26, await CountAsync(client, "qwertyuiopasdfghjklzxcvbnm"));
        Assert.Equal(nothing + 3, await CountAsync(client, "ababab"));
    }

    [Fact]
    public async Task A_file_that_is_no_vocabulary_is_refused_at_the_start_with_what_would_be_one()
    {
        using var home = new TemporaryHome();
        var file = Path.Combine(home.Path, "none.tiktoken");
        await File.WriteAllTextAsync(file, "not a vocabulary", Cancellation);

        foreach (var given in new[] { file, Path.Combine(home.Path, "missing") })
        {
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(() =>
                HostProcess.StartAsync(home.Path, Cancellation, $"--Gateway:Vocabulary={given}")
            );
            Assert.Contains(
                $"Gateway:Vocabulary is '{given}'; valid is a file in tiktoken's format, such as o200k_base.tiktoken.",
                refused.Message,
                StringComparison.Ordinal
            );
        }
    }

    private static async Task<long> CountAsync(HttpClient client, string text)
    {
        using var answer = await client.PostAsJsonAsync(
            "/v1/messages/count_tokens",
            new { model = "gpt-fake", messages = new[] { new { role = "user", content = text } } },
            Cancellation
        );
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!["input_tokens"]!.GetValue<long>();
    }
}
