namespace Verbatim.Platform.Configuration;

/// <summary>
/// A setting, or what it leads to, is wrong: the start ends with this one sentence, which names the setting, what was found and what is valid.
/// </summary>
public sealed class SettingException : Exception
{
    /// <summary>With the sentence.</summary>
    public SettingException(string message)
        : base(message) { }

    /// <summary>With the sentence and what led to it.</summary>
    public SettingException(string message, Exception inner)
        : base(message, inner) { }
}
