using System.Reflection;
using System.Text.Json;

namespace Verbatim.Platform.Events;

/// <summary>Finds a document's owner: the one place where it is decided whether an <see cref="Access"/> reaches a document.</summary>
internal sealed class DocumentOwnership
{
    private readonly PropertyInfo? _property;
    private readonly bool _isItself;

    /// <exception cref="InvalidOperationException">The declared owner is no property that could hold one.</exception>
    public DocumentOwnership(Type document, string owner)
    {
        _isItself = owner == DocumentOwner.Itself;
        if (_isItself || owner == DocumentOwner.Organization)
            return;
        _property = document.GetProperty(owner, BindingFlags.Public | BindingFlags.Instance);
        if (
            _property is null
            || (_property.PropertyType != typeof(Guid) && _property.PropertyType != typeof(Guid?))
            || _property.IsDefined(typeof(PersonalAttribute))
        )
            throw new InvalidOperationException(
                $"{document} names '{owner}' as its owner; valid is a property of type Guid that is not personal, or a constant of DocumentOwner."
            );
    }

    public bool Reaches(Access access, Guid id, object document) =>
        access.OwnerId is not { } owner
        || (_isItself ? id == owner : _property is null || (Guid?)_property.GetValue(document) == owner);

    /// <summary>The same as a condition on the rows of the document's table.</summary>
    /// <param name="access">What is reached.</param>
    /// <param name="parameter">The number of the parameter that carries <see cref="Access.OwnerId"/>.</param>
    public string Condition(Access access, int parameter) =>
        access.OwnerId is null ? "true"
        : _isItself ? $"id = ${parameter}"
        : _property is null ? "true"
        : $"data ->> '{JsonNamingPolicy.CamelCase.ConvertName(_property.Name)}' = ${parameter}::text";
}
