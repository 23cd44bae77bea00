using System.Collections;
using System.Reflection;
using System.Text;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Events;

/// <summary>
/// Makes the first sample of a new event: every field has a value. From then on the file is what counts, since it stands for what is stored.
/// </summary>
internal static class EventSample
{
    private static readonly DateTimeOffset Time = new DateTimeOffset(
        2026,
        3,
        1,
        12,
        30,
        15,
        TimeSpan.Zero
    ).AddMicroseconds(250_001);

    public static object Make(Type type, string name = "")
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string))
            return $"a {name} – ü";
        if (type == typeof(bool))
            return true;
        if (type == typeof(int))
            return 7;
        if (type == typeof(long))
            return 9_007_199_254_740_993;
        if (type == typeof(double))
            return 47.756;
        if (type == typeof(decimal))
            return 0.000_001m;
        if (type == typeof(Guid))
            return Guid.Parse("0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77");
        if (type == typeof(DateOnly))
            return DateOnly.FromDateTime(Time.UtcDateTime);
        if (type == typeof(DateTimeOffset))
            return Time;
        if (type == typeof(TimeSpan))
            return TimeSpan.FromMilliseconds(1333.333);
        if (type == typeof(RawJson))
            return new RawJson(Encoding.UTF8.GetBytes("""{ "kept" : [1.50, 1e3, "\u00e9"] }"""));
        if (type.IsEnum)
            return Enum.GetValues(type).GetValue(Enum.GetValues(type).Length - 1)!;
        if (type != typeof(string) && type.IsAssignableTo(typeof(IEnumerable)))
            return MakeList(type, name);
        var constructor = type.GetConstructors(BindingFlags.Instance | BindingFlags.Public)
            .OrderByDescending(c => c.GetParameters().Length)
            .First();
        return constructor.Invoke([.. constructor.GetParameters().Select(p => Make(p.ParameterType, p.Name!))]);
    }

    private static Array MakeList(Type type, string name)
    {
        var item = type.GetInterfaces()
            .Append(type)
            .First(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEnumerable<>))
            .GetGenericArguments()[0];
        if (item.IsGenericType && item.GetGenericTypeDefinition() == typeof(KeyValuePair<,>))
            throw new NotSupportedException($"{type} needs a sample that is written by hand.");
        var list = Array.CreateInstance(item, 1);
        list.SetValue(Make(item, name), 0);
        return list;
    }
}
