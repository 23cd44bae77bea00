using System.Text;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>The answers of <c>GET /v1/models</c> and <c>GET /v1/models/{id}</c>.</summary>
internal static class ModelList
{
    private const string ContentType = "application/json";

    /// <summary>The names that are listed. Any other name is answered too.</summary>
    private static readonly string[] Names = ["gpt-fake", "gpt-fake-mini"];

    public static Answer All { get; } = Answer.Of(200, ContentType, Encoding.UTF8.GetBytes(List()));

    /// <summary>Null when there is no such model.</summary>
    public static Answer? One(string name) =>
        Names.Contains(name, StringComparer.Ordinal)
            ? Answer.Of(200, ContentType, Encoding.UTF8.GetBytes(Model(name, indent: "") + "\n"))
            : null;

    private static string List()
    {
        var models = string.Join(",\n", Names.Select(static name => "    " + Model(name, indent: "    ")));
        return $"{{\n  \"object\": \"list\",\n  \"data\": [\n{models}\n  ]\n}}\n";
    }

    private static string Model(string name, string indent) =>
        string.Join(
            "\n" + indent,
            "{",
            $"  \"id\": \"{name}\",",
            "  \"object\": \"model\",",
            "  \"created\": 1715367049,",
            "  \"owned_by\": \"system\"",
            "}"
        );
}
