using System.Text.Json;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>Compares settings by what is in them: of a record with lists, equality looks at which list it is.</summary>
internal static class Content
{
    /// <summary>Whether both say the same.</summary>
    public static bool AreSame<T>(T one, T other) => JsonSerializer.Serialize(one) == JsonSerializer.Serialize(other);
}
