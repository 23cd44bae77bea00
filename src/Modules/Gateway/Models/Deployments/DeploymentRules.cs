using Verbatim.Modules.Gateway.Providers;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models.Deployments;

/// <summary>What must hold of a deployment whenever it is made or changed.</summary>
[Singleton]
internal sealed class DeploymentRules(DocumentStore documents)
{
    public static readonly HttpError NotFound = new(
        404,
        "gateway.deployment-not-found",
        "There is no such deployment."
    );

    public static readonly HttpError NameTaken = new(
        409,
        "gateway.deployment-exists",
        "There is a deployment of this name already."
    );

    public static readonly HttpError UnknownProvider = new(
        422,
        "gateway.unknown-provider",
        "'providerId' names no provider of your organization."
    );

    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>What is wrong with its limits, as a sentence; null when nothing is.</summary>
    public static string? Check(DeploymentTerms terms) =>
        terms switch
        {
            { Weight: < 1 or > 1000 } => $"Weight is {terms.Weight}; valid is 1 to 1000.",
            _ when !IsTimeout(terms.FirstByteTimeout)
                    || !IsTimeout(terms.IdleTimeout)
                    || !IsTimeout(terms.TotalTimeout) =>
                "FirstByteTimeout, IdleTimeout and TotalTimeout must be longer than zero and a day at most, for instance 00:05:00.",
            { MaxConcurrency: < 1 or > 100_000 } =>
                $"MaxConcurrency is {terms.MaxConcurrency}; valid is 1 to 100000, or none.",
            { MaxQueue: < 0 or > 100_000 } => $"MaxQueue is {terms.MaxQueue}; valid is 0 to 100000.",
            { DefaultMaxTokens: < 1 or > 10_000_000 } =>
                $"DefaultMaxTokens is {terms.DefaultMaxTokens}; valid is 1 to 10000000.",
            _ => Pricing.Check(terms.Prices),
        };

    /// <summary>Whether the organization has such a provider.</summary>
    public async Task<bool> HasProviderAsync(Guid tenantId, Guid providerId, CancellationToken cancellationToken) =>
        await documents.LoadAsync<RegisteredProvider>(Access.ToAll(tenantId), providerId, cancellationToken)
            is { Value.DeletedAt: null };

    /// <summary>Names of the deployments that a provider has, a few of them.</summary>
    public async Task<IReadOnlyList<string>> NamesAtAsync(
        Guid tenantId,
        Guid providerId,
        CancellationToken cancellationToken
    )
    {
        var deployments = await documents.ListAsync<RegisteredDeployment>(
            Access.ToAll(tenantId),
            before: null,
            limit: 10,
            new DocumentFilter()
                .Where($"(data ->> 'deletedAt') is null")
                .Where($"data -> 'terms' ->> 'providerId' = {providerId.ToString()}"),
            cancellationToken
        );
        return [.. deployments.Select(d => d.Value.Terms.Name)];
    }

    private static bool IsTimeout(TimeSpan timeout) => timeout > TimeSpan.Zero && timeout <= Longest;
}
