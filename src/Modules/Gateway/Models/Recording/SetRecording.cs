using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models.Recording;

/// <summary>How much of calls is to be recorded.</summary>
public sealed record SetRecordingRequest(
    [property: Description(
        "Of calls that nothing else is said about: `full` or `metadata`; as the configuration says if left out."
    )]
        RecordingLevel? Default = null,
    [property: MaxLength(1000)]
    [property: Description("By the id of a project: of calls with its credentials.")]
        IReadOnlyDictionary<Guid, RecordingLevel>? Projects = null,
    [property: MaxLength(1000)]
    [property: Description("By the id of an API key: of calls with it, whatever its project.")]
        IReadOnlyDictionary<Guid, RecordingLevel>? ApiKeys = null
);

/// <summary>How much of calls is recorded.</summary>
/// <param name="Default">Of calls that nothing else is said about; null: as the configuration says.</param>
/// <param name="Projects">By the id of a project: of calls with its credentials.</param>
/// <param name="ApiKeys">By the id of an API key: of calls with it, whatever its project.</param>
public sealed record RecordingResponse(
    RecordingLevel? Default,
    IReadOnlyDictionary<Guid, RecordingLevel> Projects,
    IReadOnlyDictionary<Guid, RecordingLevel> ApiKeys
)
{
    internal static readonly RecordingResponse Example = new(
        RecordingLevel.Full,
        new Dictionary<Guid, RecordingLevel>(),
        new Dictionary<Guid, RecordingLevel>
        {
            [Guid.Parse("0199a4c5-6e21-7f0b-a2d4-90b1c3e5f7aa")] = RecordingLevel.Metadata,
        }
    );

    internal static RecordingResponse From(RecordingPolicy? policy) =>
        new(
            policy?.Default,
            (policy?.Projects ?? []).ToDictionary(static c => c.Id, static c => c.Level),
            (policy?.ApiKeys ?? []).ToDictionary(static c => c.Id, static c => c.Level)
        );
}

internal sealed class SetRecording(CatalogueSettings settings) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPut("/recording", HandleAsync)
            .RequireScope(Scopes.ProvidersWrite)
            .WithTags("Recording")
            .WithSummary("Set how much of calls is recorded")
            .WithDescription(
                "Takes the place of all that was set. Holds for calls that come from then on, on all instances within a second. `full` keeps the bodies of request and answer, sealed; `metadata` keeps their length and SHA-256 alone. An API key's own level goes before its project's, and that before the default."
            )
            .WithRequestExample(
                new SetRecordingRequest(RecordingLevel.Full, ApiKeys: RecordingResponse.Example.ApiKeys)
            )
            .WithResponseExample(StatusCodes.Status200OK, RecordingResponse.Example);

    private async Task<Results<Ok<RecordingResponse>, ProblemHttpResult>> HandleAsync(
        SetRecordingRequest request,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        return await settings.DecideAsync<RecordingPolicy, Ok<RecordingResponse>>(
            caller,
            http,
            RecordingPolicy.IdOf(caller.TenantId),
            policy => Decide(policy, request),
            policy => TypedResults.Ok(RecordingResponse.From(policy)),
            cancellationToken
        );
    }

    internal static Decision Decide(RecordingPolicy? policy, SetRecordingRequest request)
    {
        var wanted = new RecordingPolicy(request.Default, Choices(request.Projects), Choices(request.ApiKeys));
        return policy is not null && Content.AreSame(policy, wanted)
            ? Decision.Nothing
            : Decision.Append(new RecordingPolicySet(wanted.Default, wanted.Projects, wanted.ApiKeys));
    }

    // In one order, whatever the order in JSON was.
    private static RecordingChoice[] Choices(IReadOnlyDictionary<Guid, RecordingLevel>? levels) =>
        [
            .. (levels ?? new Dictionary<Guid, RecordingLevel>())
                .OrderBy(l => l.Key)
                .Select(l => new RecordingChoice(l.Key, l.Value)),
        ];
}
