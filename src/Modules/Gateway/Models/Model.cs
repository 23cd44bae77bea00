using System.Text.Json.Serialization;
using Verbatim.Modules.Gateway.Providers;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>A model, as OpenAI's API shows it.</summary>
/// <param name="Id">The name to ask it by.</param>
/// <param name="Kind">Always <c>model</c>.</param>
/// <param name="Created">Seconds since 1970; 0 where it is not known.</param>
/// <param name="OwnedBy">The kind of provider that it is at.</param>
public sealed record Model(
    string Id,
    [property: JsonPropertyName("object")] string Kind,
    long Created,
    [property: JsonPropertyName("owned_by")] string OwnedBy
)
{
    internal static readonly Model Example = new("simulator", "model", 0, "simulator");

    internal static Model From(Route route) =>
        new(route.Model, "model", 0, ProviderKinds.NameOf(route.Tiers[0][0].Deployment.Provider.Kind));
}

/// <summary>A list of models, as OpenAI's API shows it.</summary>
/// <param name="Kind">Always <c>list</c>.</param>
/// <param name="Data">The models.</param>
public sealed record ModelList([property: JsonPropertyName("object")] string Kind, IReadOnlyList<Model> Data);
