using System.Collections.Concurrent;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Verbatim.Platform.Http.OpenApi;

/// <summary>
/// The documentation comments of a type and its properties, from the XML file that the compiler leaves beside the assembly: what a record
/// says about itself in code is what the description says. A record's property takes the text of its parameter.
/// </summary>
internal sealed partial class XmlComments
{
    private readonly ConcurrentDictionary<Assembly, Dictionary<string, XElement>> _members = new();

    /// <summary>The summary of a type, or null.</summary>
    public string? Of(Type type) => Find(type)?.Element("summary") is { } summary ? Text(summary) : null;

    /// <summary>The summary of a property, or null.</summary>
    public string? Of(PropertyInfo property)
    {
        var type = property.DeclaringType!;
        var summary = Members(type).GetValueOrDefault($"P:{NameOf(type)}.{property.Name}")?.Element("summary");
        var parameter = Find(type)?.Elements("param").FirstOrDefault(p => p.Attribute("name")?.Value == property.Name);
        return (summary ?? parameter) is { } found ? Text(found) : null;
    }

    private XElement? Find(Type type) => Members(type).GetValueOrDefault("T:" + NameOf(type));

    private Dictionary<string, XElement> Members(Type type) => _members.GetOrAdd(type.Assembly, Load);

    // A generic type is documented as its definition, a nested one behind a dot.
    private static string NameOf(Type type)
    {
        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        return (definition.FullName ?? definition.Name).Replace('+', '.');
    }

    private static Dictionary<string, XElement> Load(Assembly assembly)
    {
        var file = Path.ChangeExtension(assembly.Location, ".xml");
        // The framework's own assemblies come without.
        return assembly.Location.Length > 0 && File.Exists(file)
            ? XDocument
                .Load(file)
                .Descendants("member")
                .ToDictionary(m => m.Attribute("name")!.Value, m => m, StringComparer.Ordinal)
            : [];
    }

    /// <summary>A comment as Markdown, on one line.</summary>
    internal static string Text(XElement comment)
    {
        var text = new StringBuilder();
        foreach (var node in comment.Nodes())
        {
            if (node is XText words)
                text.Append(words.Value);
            else if (node is XElement element)
                text.Append('`').Append(Code(element)).Append('`');
        }
        return WhiteSpace().Replace(text.ToString(), " ").Trim();
    }

    // <c>code</c>, or a reference: <see cref="P:Verbatim.Platform.Http.Page`1.NextCursor"/> is NextCursor.
    private static string Code(XElement element)
    {
        var reference = (
            element.Attribute("cref") ?? element.Attribute("name") ?? element.Attribute("langword")
        )?.Value;
        if (reference is null)
            return element.Value;
        reference = reference.Split('(')[0];
        return reference[(reference.LastIndexOf('.') + 1)..];
    }

    [GeneratedRegex(@"\s+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex WhiteSpace();
}
