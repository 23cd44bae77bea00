using System.Text.Json.Nodes;

namespace Verbatim.Tests.Unit.Identity.Tokens;

/// <summary>
/// Reads the vectors of Project Wycheproof (Apache-2.0), which are kept beside the repository: <c>../shared/vectors</c>
/// seen from the folder of Monolith.sln.
/// </summary>
internal static class Wycheproof
{
    /// <summary>The vectors of a file, or a skipped test where the files are absent.</summary>
    public static (int Announced, IReadOnlyList<Vector> Vectors) Read(string file)
    {
        var path = Path.GetFullPath(Path.Combine(FindRoot(), "..", "shared", "vectors", file));
        Assert.SkipUnless(File.Exists(path), $"The Wycheproof vectors are not here: there is no {path}.");

        var document = JsonNode.Parse(File.ReadAllText(path))!;
        var vectors =
            from @group in document["testGroups"]!.AsArray()
            // What a verifier is given; a group of symmetric keys only has the secret ones.
            let key = (@group["public"] ?? @group["private"])!
            from test in @group["tests"]!.AsArray()
            let token = (test["jws"] ?? test["jwe"])!
            select new Vector(
                (int)test["tcId"]!,
                (string)test["comment"]!,
                (string)test["result"]!,
                key,
                @group["private"],
                // JSON serialization stands in the file as text, or as the object itself.
                token is JsonObject
                    ? token.ToJsonString()
                    : (string)token!
            );
        return ((int)document["numberOfTests"]!, [.. vectors]);
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Monolith.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("No folder above the tests has Monolith.sln.");
    }

    /// <summary>One vector: a token, the key or key set to verify it with, and whether it is valid.</summary>
    internal sealed record Vector(
        int Id,
        string Comment,
        string Result,
        JsonNode Key,
        JsonNode? PrivateKey,
        string Token
    )
    {
        public override string ToString() => $"{Id} {Comment} ({Result})";
    }
}
