using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream;

/// <summary>What to send and how to (mis)behave while sending it. Immutable, so one can be kept and sent again.</summary>
internal sealed record Reply(Answer Answer, CommandSet Commands)
{
    /// <summary>Given where an earlier answer is sent again, with the id and time that it had.</summary>
    public Stamp? Stamp { get; init; }
}
