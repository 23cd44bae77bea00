using Verbatim.Modules.Gateway.Models.Deployments;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models.Aliases;

/// <summary>What must hold of a model whenever it is made or changed.</summary>
[Singleton]
internal sealed class ModelRules(DocumentStore documents)
{
    /// <summary>What a name may be: it stands in paths and in JSON, and a star would be a pattern.</summary>
    public const string Name = @"^[A-Za-z0-9][A-Za-z0-9._:/@+\-]{0,199}$";

    public static readonly HttpError NotFound = new(404, "gateway.model-not-found", "There is no such model.");

    public static readonly HttpError NameTaken = new(
        409,
        "gateway.model-exists",
        "There is a model of this name already."
    );

    public static readonly HttpError UnknownDeployment = new(
        422,
        "gateway.unknown-deployment",
        "'tiers' names a deployment that your organization does not have, or one twice."
    );

    /// <summary>Whether the organization has all deployments that tiers name, each named once.</summary>
    public async Task<bool> HaveDeploymentsAsync(
        Guid tenantId,
        IReadOnlyList<ModelTier> tiers,
        CancellationToken cancellationToken
    )
    {
        var ids = tiers.SelectMany(static t => t.Deployments).Select(static d => d.DeploymentId).ToArray();
        if (ids.Distinct().Count() < ids.Length)
            return false;
        var found = await documents.ListAsync<RegisteredDeployment>(
            Access.ToAll(tenantId),
            before: null,
            limit: ids.Length,
            new DocumentFilter().Where($"(data ->> 'deletedAt') is null").Where($"id = any({ids})"),
            cancellationToken
        );
        return found.Count == ids.Length;
    }

    /// <summary>Names of the models that send calls to a deployment, a few of them.</summary>
    public async Task<IReadOnlyList<string>> NamesWithAsync(
        Guid tenantId,
        Guid deploymentId,
        CancellationToken cancellationToken
    )
    {
        var models = await documents.ListAsync<ModelAlias>(
            Access.ToAll(tenantId),
            before: null,
            limit: 10,
            new DocumentFilter().Where($"(data ->> 'deletedAt') is null").Where(SendsTo(deploymentId)),
            cancellationToken
        );
        return [.. models.Select(m => m.Value.Terms.Name)];
    }

    /// <summary>The condition that a model sends calls to a deployment.</summary>
    public static FormattableString SendsTo(Guid deploymentId) =>
        $$"""
            exists (
                select from json_array_elements(data -> 'terms' -> 'tiers') t, json_array_elements(t -> 'deployments') d
                where d ->> 'deploymentId' = {{deploymentId.ToString()}}
            )
            """;
}
