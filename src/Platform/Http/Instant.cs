using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.OpenApi;

namespace Verbatim.Platform.Http;

/// <summary>
/// An instant as RFC 3339 writes it. Events bear microseconds; an instant between two of them is known by both, so that "before" and "not
/// after" stay exact however many digits were given.
/// </summary>
/// <param name="Floor">The last microsecond that is not after it.</param>
/// <param name="Ceiling">The first microsecond that is not before it.</param>
public sealed record Instant(DateTimeOffset Floor, DateTimeOffset Ceiling)
{
    private const int SecondsLength = 19;
    private const int MicrosecondDigits = 6;

    private static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.FFFFFF"];

    /// <summary>Reads RFC 3339 §5.6 <c>date-time</c>. A leap second is refused: no event bears one.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Instant? instant)
    {
        instant = null;
        if (text is not { Length: > SecondsLength and <= 64 } || !TryParseOffset(text, out var local, out var offset))
            return false;

        // Microseconds are what events bear; whether anything follows them decides on which side of the next one the instant lies.
        var kept = Math.Min(local.Length, SecondsLength + 1 + MicrosecondDigits);
        var isBetween = local.AsSpan(kept).ContainsAnyExcept('0');
        if (
            local.AsSpan(kept).ContainsAnyExceptInRange('0', '9')
            || local[^1] == '.'
            || !DateTime.TryParseExact(
                local[..kept].Replace('t', 'T'),
                Formats,
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out var time
            )
        )
            return false;

        // The first and last day are left out, so that neither the offset nor the rounding leaves what a DateTime can hold.
        if (time < DateTime.MinValue.AddDays(1) || time > DateTime.MaxValue.AddDays(-1))
            return false;
        var floor = new DateTimeOffset(time, TimeSpan.Zero) - offset;
        instant = new Instant(floor, isBetween ? floor.AddMicroseconds(1) : floor);
        return true;
    }

    // RFC 3339 has Z, z or ±hh:mm. A plus that a URL carries unescaped arrives as a space.
    private static bool TryParseOffset(string text, out string local, out TimeSpan offset)
    {
        const int OffsetLength = 6;
        offset = TimeSpan.Zero;
        local = text[..^1];
        if (text[^1] is 'Z' or 'z')
            return true;
        if (text.Length < SecondsLength + OffsetLength)
            return false;

        local = text[..^OffsetLength];
        var sign = text[^OffsetLength];
        if (
            sign is not ('+' or '-' or ' ')
            || !TimeSpan.TryParseExact(text[^5..], @"hh\:mm", CultureInfo.InvariantCulture, out offset)
        )
            return false;
        if (sign == '-')
            offset = -offset;
        return true;
    }
}

/// <summary>A query parameter that is an instant.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class InstantAttribute : QueryTextAttribute
{
    /// <inheritdoc/>
    public override bool IsValid(object? value) => value is null || Instant.TryParse(value as string, out _);

    /// <inheritdoc/>
    public override string FormatErrorMessage(string name) =>
        "Give an instant as RFC 3339 writes it, for instance 2026-01-31T12:00:00Z or 2026-01-31T12:00:00.5-05:00.";

    /// <inheritdoc/>
    public override void Describe(OpenApiSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        schema.Type = JsonSchemaType.String;
        schema.Format = "date-time";
    }
}
