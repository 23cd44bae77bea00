using System.Buffers;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>Names of tools and ids of their calls, as the wires take them.</summary>
internal static class ToolNames
{
    private static readonly SearchValues<byte> Sound = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"u8
    );

    /// <summary>Letters, digits, <c>_</c> and <c>-</c>, as both providers want a name.</summary>
    public static bool IsSound(JsonText name, int most) =>
        name.Escaped is { IsEmpty: false } escaped && escaped.Length <= most && !escaped.ContainsAnyExcept(Sound);

    /// <summary>
    /// An id of a call as Anthropic takes it, the same for the call and its result: other models make ids like <c>functions.find:0</c>.
    /// </summary>
    public static JsonText SoundId(JsonText id)
    {
        if (!id.Escaped.ContainsAnyExcept(Sound))
            return id.Escaped.IsEmpty ? JsonText.Of("call") : id;
        var sound = id.Escaped.ToArray();
        for (var i = 0; i < sound.Length; i++)
        {
            if (!Sound.Contains(sound[i]))
                sound[i] = (byte)'_';
        }
        return JsonText.Quote(sound);
    }
}
