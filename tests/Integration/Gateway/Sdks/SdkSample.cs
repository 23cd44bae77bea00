using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>What the tests of the SDKs ask and are told.</summary>
internal static class SdkSample
{
    public const string Hello = "Hello! How can I assist you today?";
    public const string Thought = "Let me think.";

    /// <summary>Commands for an answer that is an object with a city.</summary>
    public const string Oslo = "text=%7B%22city%22:%22Oslo%22%7D";

    /// <summary>Commands for a thought before a call of a tool.</summary>
    public const string ThoughtAndCall = "reasoning=Let%20me%20think.,tool-calls=1";

    /// <summary>The first bytes of a picture, in letters that every writer of JSON leaves as they are.</summary>
    public const string Picture = "iVBORw0KGgo=";

    /// <summary>The first bytes of a document.</summary>
    public const string Document = "JVBERi0xLjQ=";

    public const string Schema = """
        {"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}
        """;

    public static BinaryData PictureBytes => BinaryData.FromBytes(Convert.FromBase64String(Picture));

    public static BinaryData DocumentBytes => BinaryData.FromBytes(Convert.FromBase64String(Document));

    /// <summary>A model that answers as the commands say.</summary>
    public static string Model(string kind, string commands) => $"{ConformanceHost.Model(kind)}@{commands}";

    /// <summary>A model that answers plainly, whose requests the provider finds by the marker.</summary>
    public static string Marked(string kind, out string marker) => Model(kind, "marker=" + Marker(out marker));

    /// <summary>A model that answers the first request as the commands say and further ones plainly.</summary>
    public static string Once(string kind, string commands, out string marker) =>
        Model(kind, $"{commands},times=1,marker={Marker(out marker)}");

    private static string Marker(out string marker) => marker = Guid.NewGuid().ToString("N");
}
