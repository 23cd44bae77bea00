namespace Verbatim.Tests.Upstream;

/// <summary>One provider's dialect; a folder holds one. It builds answers and knows nothing of how they are sent.</summary>
internal interface IWire
{
    /// <summary>What the provider sends with every answer on the command <c>provider_headers</c>.</summary>
    IReadOnlyList<KeyValuePair<string, string>> ProviderHeaders { get; }

    /// <summary>True when the request belongs to this dialect.</summary>
    bool Serves(in WireRequest request);

    /// <summary>
    /// The answer to a request. Wrong commands and wrong requests are answered in the dialect's own error shape, never
    /// thrown.
    /// </summary>
    Reply Respond(in WireRequest request);
}
