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

    internal static Model From(Route route, string name) =>
        new(
            name,
            "model",
            route.CreatedAt?.ToUnixTimeSeconds() ?? 0,
            ProviderKinds.NameOf(route.Tiers[0][0].Deployment.Provider.Kind)
        );
}

/// <summary>A list of models, as OpenAI's API shows it.</summary>
/// <param name="Kind">Always <c>list</c>.</param>
/// <param name="Data">The models.</param>
public sealed record ModelList([property: JsonPropertyName("object")] string Kind, IReadOnlyList<Model> Data);

/// <summary>A model, as Anthropic's API shows it.</summary>
/// <param name="Type">Always <c>model</c>.</param>
/// <param name="Id">The name to ask it by.</param>
/// <param name="DisplayName">The same.</param>
/// <param name="CreatedAt">Since when there is this name; 1970 where it is not known, as there.</param>
public sealed record AnthropicModel(
    string Type,
    string Id,
    [property: JsonPropertyName("display_name")] string DisplayName,
    [property: JsonPropertyName("created_at")] DateTimeOffset CreatedAt
)
{
    /// <summary>Always <c>active</c>: what is listed can be asked. Clients take it for granted, unlike what else Anthropic tells of its models.</summary>
    [JsonPropertyName("lifecycle")]
    public string Lifecycle { get; } = "active";

    internal static AnthropicModel From(Route route, string name) =>
        new("model", name, name, route.CreatedAt ?? DateTimeOffset.UnixEpoch);
}

/// <summary>A page of models, as Anthropic's API shows it.</summary>
/// <param name="Data">The models.</param>
/// <param name="HasMore">There are further ones in the direction of the paging.</param>
/// <param name="FirstId">For <c>before_id</c> of the page before; null on an empty page.</param>
/// <param name="LastId">For <c>after_id</c> of the next page; null on an empty page.</param>
public sealed record AnthropicModelPage(
    IReadOnlyList<AnthropicModel> Data,
    [property: JsonPropertyName("has_more")] bool HasMore,
    [property: JsonPropertyName("first_id")] string? FirstId,
    [property: JsonPropertyName("last_id")] string? LastId
);
