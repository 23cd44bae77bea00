using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>Which API keys a list has; each part that is left out lets all through.</summary>
public sealed record ListApiKeysRequest
{
    /// <summary>Only those that act as this person or service account.</summary>
    [QueryId]
    [Description("Only keys that act as this person or service account.")]
    public string? PrincipalId { get; init; }

    /// <summary>Only those of this project.</summary>
    [QueryId]
    [Description("Only keys of this project.")]
    public string? ProjectId { get; init; }

    /// <summary>Only those that have not ended, or only those that have.</summary>
    [QueryWord("true", "false")]
    [Description("true: only keys that are neither revoked nor expired; false: only the others.")]
    public string? Active { get; init; }

    internal DocumentFilter ToFilter(DateTimeOffset now)
    {
        var filter = new DocumentFilter();
        if (PrincipalId is not null)
            filter.Where($"data ->> 'principalId' = {Guid.Parse(PrincipalId)}::text");
        if (ProjectId is not null)
            filter.Where($"data ->> 'projectId' = {Guid.Parse(ProjectId)}::text");
        if (Active is not null)
            filter.Where(
                $"""
                (data ->> 'revokedAt' is null
                    and coalesce((data ->> 'expiresAt')::timestamptz > {now.UtcDateTime}, true)) = {Active == "true"}
                """
            );
        return filter;
    }
}

internal sealed class ListApiKeys : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/api-keys", HandleAsync)
            .RequireScope(Scopes.ApiKeysRead)
            .WithTags("API keys")
            .WithSummary("List API keys")
            .WithDescription(
                "Newest first, revoked ones included; those of the organization, or your own when your role does not see the organization. Secrets are never shown again."
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<ApiKeyResponse>([ApiKeyResponse.Example], NextCursor: null)
            );

    private static async Task<Results<Ok<Page<ApiKeyResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageRequest page,
        [AsParameters] ListApiKeysRequest request,
        Caller caller,
        DocumentStore store,
        ApiKeyUses uses,
        TimeProvider time,
        CancellationToken cancellationToken
    ) =>
        await DocumentPages.ListAsync<ApiKey, ApiKeyResponse>(
            store,
            caller.Access,
            page,
            request.ToFilter(time.GetUtcNow()),
            async keys =>
            {
                var times = await uses.ReadAsync(caller.TenantId, [.. keys.Select(k => k.Id)], cancellationToken);
                return
                [
                    .. keys.Select(k =>
                        ApiKeyResponse.From(k.Id, k.Value, times.TryGetValue(k.Id, out var at) ? at : null)
                    ),
                ];
            },
            cancellationToken
        );
}
