using System.ComponentModel;
using System.Reflection;
using System.Text.Json;

namespace Verbatim.Modules.Audit.Changes;

/// <summary>
/// What a document says about itself in words: a property of an enumeration whose members bear a <see cref="DescriptionAttribute"/>, as the
/// status of an inference does. A feature adds words by describing its own states.
/// </summary>
internal static class StateWords
{
    /// <summary>The described properties: their name, their value as in JSON, and its description.</summary>
    public static IEnumerable<(string Name, string Value, string Description)> Of(object state)
    {
        foreach (var property in state.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (
                (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) is { IsEnum: true } type
                && property.GetValue(state) is { } value
                && type.GetField(value.ToString()!)?.GetCustomAttribute<DescriptionAttribute>()
                    is { Description: var description }
            )
                yield return (
                    JsonNamingPolicy.CamelCase.ConvertName(property.Name),
                    JsonNamingPolicy.CamelCase.ConvertName(value.ToString()!),
                    description
                );
        }
    }
}
