using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Verbatim.Tests.Unit.Gateway.Wire;

/// <summary>What the properties of the wires are tried with.</summary>
internal static class Generators
{
    /// <summary>Quiet, and a failure is an exception with the smallest case found.</summary>
    public static Config Tests(int count) => Config.QuickThrowOnFailure.WithMaxTest(count).WithQuietOnSuccess(true);

    /// <summary>Lengths to cut bytes into, repeated as often as need be.</summary>
    public static Gen<int[]> Cuts { get; } = Gen.Choose(1, 40).NonEmptyListOf().Select(l => l.ToArray());

    /// <summary>White space as JSON has it, mostly none.</summary>
    public static Gen<string> Space { get; } = Gen.Elements("", "", "", " ", "\n", "\t", "\r\n ");

    /// <summary>JSON strings with all that may stand in them: escapes, surrogate pairs whole and halved, other scripts.</summary>
    public static Gen<string> JsonString { get; } =
        Gen.Elements(
                "a",
                "model",
                " ",
                "é",
                "語",
                "😀",
                "\\n",
                "\\\"",
                "\\\\",
                "\\/",
                "\\u0041",
                "\\ud83d\\ude00",
                "\\ud83d",
                "{",
                "}",
                ",",
                ":"
            )
            .ListOf()
            .Select(parts => "\"" + string.Concat(parts) + "\"");

    /// <summary>A JSON value of some depth, with white space.</summary>
    public static Gen<string> JsonValue(int depth)
    {
        var scalar = Gen.OneOf(
            JsonString,
            Gen.Elements("null", "true", "false", "0", "-1.5e3", "12345678901234567890", "1e400")
        );
        if (depth == 0)
            return scalar;
        var inner = JsonValue(depth - 1);
        return Gen.OneOf(
            scalar,
            Padded(inner).ListOf().Select(items => "[" + string.Join(',', items) + "]"),
            Member(JsonString, inner).ListOf().Select(members => "{" + string.Join(',', members) + "}")
        );
    }

    /// <summary>A member of an object.</summary>
    public static Gen<string> Member(Gen<string> name, Gen<string> value) =>
        from n in Padded(name)
        from v in Padded(value)
        select n + ":" + v;

    /// <summary>With white space around it.</summary>
    public static Gen<string> Padded(Gen<string> json) =>
        from before in Space
        from text in json
        from after in Space
        select before + text + after;

    /// <summary>Cuts bytes into chunks, each an array of its own, so that what is read from a chunk after its time is noticed.</summary>
    public static IEnumerable<byte[]> Chunks(byte[] bytes, int[] lengths)
    {
        var at = 0;
        for (var i = 0; at < bytes.Length; i++)
        {
            var length = Math.Min(lengths[i % lengths.Length], bytes.Length - at);
            yield return bytes[at..(at + length)];
            at += length;
        }
    }

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
