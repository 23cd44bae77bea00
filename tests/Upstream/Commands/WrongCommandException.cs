namespace Verbatim.Tests.Upstream.Commands;

/// <summary>A command that cannot be obeyed; the sentence goes to the caller as a 400.</summary>
internal sealed class WrongCommandException(string command, string sentence) : Exception(sentence)
{
    public string Command { get; } = command;
}
