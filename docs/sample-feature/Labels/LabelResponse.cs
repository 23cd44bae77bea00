namespace Verbatim.Modules.Gateway.Labels;

/// <summary>A label.</summary>
/// <param name="Id">The label, and the stream of its events.</param>
/// <param name="Name">The word.</param>
/// <param name="Description">What it stands for.</param>
/// <param name="Calls">How many calls were filed under it.</param>
public sealed record LabelResponse(Guid Id, string Name, string? Description, long Calls)
{
    internal static readonly LabelResponse Example = new(
        Guid.Parse("0198c8a4-2f6b-7d0e-9a51-c3e07b64d218"),
        "billing",
        "Calls of the billing job",
        Calls: 12
    );
}
