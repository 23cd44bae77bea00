using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>What a deployment costs for a time: US dollars for a million tokens of each kind.</summary>
/// <param name="ValidFrom">From when on.</param>
/// <param name="ValidTo">Until when, that instant not included; null: until further notice.</param>
/// <param name="Input">Of tokens of the input.</param>
/// <param name="Output">Of tokens of the output.</param>
/// <param name="CacheRead">Of input that was read from a cache; null: as any input.</param>
/// <param name="CacheWrite">Of input that was written to a cache; null: as any input.</param>
/// <param name="Reasoning">Of output that was thought and not said; null: as any output.</param>
public sealed record Price(
    [property: Description("From when on.")] DateTimeOffset ValidFrom,
    [property: Description("Until when, that instant not included; until further notice if left out.")]
        DateTimeOffset? ValidTo,
    [property: Description("US dollars for a million tokens of input.")] decimal Input,
    [property: Description("US dollars for a million tokens of output.")] decimal Output,
    [property: Description("Of input that was read from a cache; as any input if left out.")] decimal? CacheRead = null,
    [property: Description("Of input that was written to a cache; as any input if left out.")]
        decimal? CacheWrite = null,
    [property: Description("Of output that was reasoning; as any output if left out.")] decimal? Reasoning = null
);

/// <summary>A list of prices of which one at most holds at any instant.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PriceListAttribute : ValidationAttribute
{
    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext) =>
        Pricing.Check(value as IReadOnlyList<Price> ?? []) is { } wrong
            ? new ValidationResult(wrong, [validationContext.MemberName ?? "prices"])
            : ValidationResult.Success;
}
