namespace Verbatim.Modules.Identity.OAuth.Clients;

/// <summary>Lists as a request gives them.</summary>
internal static class ClientLists
{
    /// <summary>Each once, in the order given.</summary>
    public static IReadOnlyList<string> Of(IReadOnlyList<string>? given) =>
        [.. (given ?? []).OfType<string>().Distinct(StringComparer.Ordinal)];
}
