using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.PersonalData;

/// <summary>Seals and opens one personal property.</summary>
/// <typeparam name="T">The property's type.</typeparam>
internal sealed class PersonalConverter<T>(
    string property,
    Func<SealingScope, Guid> subjectOf,
    bool isByDay,
    JsonTypeInfo<T> plain
) : JsonConverter<T>
{
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
    {
        var scope = SealingScope.Current;
        var subject = subjectOf(scope);
        var key = scope.KeyOf(subject);
        var day = isByDay ? scope.KeyOfToday() : null;
        if (key is null || (isByDay && day is null))
        {
            // Written again as soon as there is a key.
            writer.WriteNullValue();
            return;
        }
        if (value is RawJson raw)
            SealedJson.Write(writer, key, subject, day, raw.Utf8.Span, property);
        else
            SealedJson.Write(writer, key, subject, day, JsonSerializer.SerializeToUtf8Bytes(value, plain), property);
    }

    public override T? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var scope = SealingScope.Current;
        if (!SealedJson.TryRead(ref reader, out var found))
            throw new JsonException($"'{property}' is not sealed as personal data is.");
        try
        {
            if (scope.Open(found, property) is not { } value)
                return ErasedValue.Of<T>();
            return typeof(T) == typeof(RawJson) || typeof(T) == typeof(RawJson?)
                ? (T)(object)new RawJson(value)
                : JsonSerializer.Deserialize(value.Span, plain);
        }
        catch (CryptographicException e)
        {
            throw new JsonException(
                $"'{property}' was changed after it was sealed, or was sealed for another place.",
                e
            );
        }
    }
}

/// <summary>What is left of an erased value.</summary>
internal static class ErasedValue
{
    private static readonly RawJson Raw = new(JsonSerializer.SerializeToUtf8Bytes(PersonalAttribute.Erased));

    public static T? Of<T>() =>
        typeof(T) == typeof(string) ? (T)(object)PersonalAttribute.Erased
        : typeof(T) == typeof(RawJson) || typeof(T) == typeof(RawJson?) ? (T)(object)Raw
        : default;

    /// <summary>Whether there is one: a number or a date that must be there cannot be erased.</summary>
    public static bool ExistsFor(Type type) =>
        !type.IsValueType || type == typeof(RawJson) || Nullable.GetUnderlyingType(type) is not null;
}

/// <summary>Finds the personal properties of records, and gives each its converter.</summary>
internal static class PersonalProperties
{
    /// <summary>A modifier of JSON contracts.</summary>
    /// <param name="plain">The same contracts without it: how a value looks before it is sealed.</param>
    public static Action<JsonTypeInfo> Sealing(JsonSerializerOptions plain) =>
        type =>
        {
            if (type.Kind != JsonTypeInfoKind.Object)
                return;
            foreach (var property in type.Properties)
            {
                if (Find(property) is { } personal)
                    Seal(type.Type, property, personal, plain);
            }
        };

    /// <summary>The mark of a property, or null.</summary>
    public static PersonalAttribute? Find(JsonPropertyInfo property) =>
        (PersonalAttribute?)
            property.AttributeProvider?.GetCustomAttributes(typeof(PersonalAttribute), inherit: true).FirstOrDefault();

    /// <summary>Whether a record has personal properties, itself or in what it contains.</summary>
    public static bool AreIn(JsonTypeInfo type) => AreIn(type, []);

    private static bool AreIn(JsonTypeInfo type, HashSet<Type> seen)
    {
        if (!seen.Add(type.Type))
            return false;
        if (type.Properties.Any(p => Find(p) is not null))
            return true;
        return type
            .Properties.Select(p => p.PropertyType)
            .Concat([type.ElementType, type.KeyType])
            .OfType<Type>()
            .Any(t => AreIn(type.Options.GetTypeInfo(t), seen));
    }

    private static void Seal(
        Type owner,
        JsonPropertyInfo property,
        PersonalAttribute personal,
        JsonSerializerOptions plain
    )
    {
        if (!ErasedValue.ExistsFor(property.PropertyType))
            throw new InvalidOperationException(
                $"{owner}.{property.Name} is [Personal] and a {property.PropertyType.Name}: make it nullable, since nothing else is left of it when the person is erased."
            );
        if (personal.ByDay && IsDocument(owner))
            throw new InvalidOperationException(
                $"{owner}.{property.Name} is [Personal(ByDay = true)] in a document, whose rows are of no day. Only events may be."
            );
        if (property.Name.Length > SealedJson.MaxPropertyLength)
            throw new InvalidOperationException(
                $"The name {owner}.{property.Name} is too long for a personal property."
            );
        property.CustomConverter = (JsonConverter)
            Activator.CreateInstance(
                typeof(PersonalConverter<>).MakeGenericType(property.PropertyType),
                property.Name,
                SubjectOf(owner, property, personal),
                personal.ByDay,
                plain.GetTypeInfo(property.PropertyType)
            )!;
        // A converter is not told whose property it writes.
        if (property.Get is { } get)
            property.Get = instance =>
            {
                SealingScope.Current.Owner = instance;
                return get(instance);
            };
    }

    private static Func<SealingScope, Guid> SubjectOf(Type owner, JsonPropertyInfo property, PersonalAttribute personal)
    {
        if (personal.OfStream)
            return scope => scope.StreamId;
        if (personal.Of is null)
            return !IsDocument(owner)
                ? scope => scope.ActingSubject
                : throw new InvalidOperationException(
                    $"{owner}.{property.Name} is [Personal] without saying whose: a document has nobody who acts. Give Of or OfStream."
                );
        var named = owner.GetProperty(
            personal.Of,
            BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic
        );
        if (named?.PropertyType != typeof(Guid) && named?.PropertyType != typeof(Guid?))
            throw new InvalidOperationException(
                $"{owner}.{property.Name} is [Personal(Of = \"{personal.Of}\")], which must name a Guid of the same record."
            );
        return scope => (Guid?)named.GetValue(scope.Owner) ?? scope.ActingSubject;
    }

    private static bool IsDocument(Type type) =>
        type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IDocument<>));
}
