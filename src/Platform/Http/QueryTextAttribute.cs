using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Verbatim.Platform.Http;

/// <summary>
/// What the text of a query parameter must be. Such a parameter is declared as a string: binding a number or a time would answer the first
/// mistake alone and say little about it, while validation lists every wrong field.
/// </summary>
public abstract class QueryTextAttribute : ValidationAttribute
{
    /// <summary>What the parameter is to a reader of the OpenAPI document.</summary>
    public abstract void Describe(OpenApiSchema schema);
}

/// <summary>A query parameter that is a whole number.</summary>
/// <param name="min">The least that is valid.</param>
/// <param name="max">The most that is valid.</param>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class WholeNumberAttribute(long min, long max = long.MaxValue) : QueryTextAttribute
{
    /// <summary>The least that is valid.</summary>
    public long Min { get; } = min;

    /// <summary>The most that is valid.</summary>
    public long Max { get; } = max;

    /// <summary>Reads what a valid parameter says.</summary>
    /// <returns>False when there is none.</returns>
    public static bool TryParse(string? text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    /// <inheritdoc/>
    public override bool IsValid(object? value) =>
        value is null || (TryParse(value as string, out var number) && number >= Min && number <= Max);

    /// <inheritdoc/>
    public override string FormatErrorMessage(string name) =>
        Max == long.MaxValue
            ? string.Create(CultureInfo.InvariantCulture, $"Give a whole number, {Min} or more.")
            : string.Create(CultureInfo.InvariantCulture, $"Give a whole number from {Min} to {Max}.");

    /// <inheritdoc/>
    public override void Describe(OpenApiSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        schema.Type = JsonSchemaType.Integer;
        schema.Format = Max <= int.MaxValue ? "int32" : "int64";
        schema.Minimum = Min.ToString(CultureInfo.InvariantCulture);
        schema.Maximum = Max == long.MaxValue ? null : Max.ToString(CultureInfo.InvariantCulture);
    }
}

/// <summary>Writes what <see cref="QueryTextAttribute"/>s say into the OpenAPI document.</summary>
internal static class QueryTextSchemas
{
    public static Task TransformAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        foreach (var described in context.Description.ParameterDescriptions)
        {
            var attribute = (described.ParameterDescriptor as IParameterInfoParameterDescriptor)
                ?.ParameterInfo.GetCustomAttributes(inherit: true)
                .OfType<QueryTextAttribute>()
                .FirstOrDefault();
            var parameter = operation.Parameters?.FirstOrDefault(p => p.Name == described.Name);
            if (attribute is not null && parameter?.Schema is OpenApiSchema schema)
                attribute.Describe(schema);
        }
        return Task.CompletedTask;
    }
}
