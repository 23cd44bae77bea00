using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream;

/// <summary>One provider's dialect; a folder holds one. It builds answers and knows nothing of how they are sent.</summary>
internal interface IWire
{
    /// <summary>True when the path belongs to this dialect.</summary>
    bool Serves(string path);

    /// <summary>
    /// The answer to a request. Wrong commands and wrong requests are answered in the dialect's own error shape, never
    /// thrown.
    /// </summary>
    Reply Respond(string method, string path, ReadOnlySpan<byte> body, AttemptCounter? attempts);
}
