using System.Globalization;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Files;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi.Responses;
using Verbatim.Modules.Gateway.Wire.Translation;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>Takes calls to models, over HTTP and from within, and answers them on record.</summary>
[Singleton]
internal sealed class InferenceCalls(
    Catalogue catalogue,
    InferenceJournal journal,
    StreamHeartbeats heartbeats,
    NamedFiles files,
    IdSource ids,
    TimeProvider time
)
{
    /// <summary>Names the record of a call in its answer.</summary>
    public const string InferenceIdHeader = "x-verbatim-inference-id";

    /// <summary>How the caller says what to do about parameters that a provider cannot do.</summary>
    public const string UnsupportedHeader = "x-verbatim-unsupported";

    private const string ClientRequestIdHeader = "x-client-request-id";

    /// <summary>Answers a request that has passed authorization.</summary>
    public Task AnswerAsync(HttpContext http, CallerWire wire) => AnswerAsync(http, wire, prepare: null);

    /// <summary>The same, with something to be looked at, or changed, before it is sent.</summary>
    /// <param name="http">The request.</param>
    /// <param name="wire">The wire that it is in.</param>
    /// <param name="prepare">Gives what is to be answered, or null when it has answered by itself.</param>
    public async Task AnswerAsync(
        HttpContext http,
        CallerWire wire,
        Func<WireRequest, IAnswerSink, Task<PreparedCall?>>? prepare
    )
    {
        var arrival = time.GetTimestamp();
        var isForm = wire.IsRaw && http.Request.HasFormContentType;
        if (!isForm && !http.Request.HasJsonContentType())
        {
            await Errors.WriteAsync(http, Errors.UnsupportedMediaType);
            return;
        }
        if (Providers.ForwardedHeaders.Refuse(http.Request.Headers) is { } unsound)
        {
            await Errors.WriteAsync(http, unsound);
            return;
        }
        var limit = catalogue.MaxRequestBytes;
        if (await RequestBody.ReadAsync(http.Request, limit, http.RequestAborted) is not { } body)
        {
            await Errors.WriteAsync(
                http,
                new HttpError(
                    413,
                    "body-too-large",
                    $"The body is larger than {limit} bytes (Gateway:MaxRequestBytes)."
                )
            );
            return;
        }
        WireError? error;
        if (
            !(
                isForm
                    ? FormRequest.TryRead(body, http.Request.ContentType!, out var request, out error)
                    : wire.TryRead(body, out request, out error)
            )
        )
        {
            await wire.Dialect.WriteAsync(http, error);
            return;
        }

        var sink = new HttpAnswer(http, wire.Dialect);
        var prepared = prepare is null ? new PreparedCall(request) : await prepare(request, sink);
        if (prepared is null)
            return;
        await AnswerAsync(CallerOf(http), wire, prepared, sink, http.Request.Headers, arrival);
    }

    /// <summary>Who asks over HTTP, in a request that has passed authorization.</summary>
    public static InferenceCaller CallerOf(HttpContext http)
    {
        var caller = Caller.Of(http);
        return new InferenceCaller(
            caller.For(http),
            caller.PrincipalId,
            caller.ProjectId,
            ClientRequestIdOf(http.Request)
        )
        {
            Files = caller.Access,
        };
    }

    /// <summary>Whether bodies of this caller's calls are kept.</summary>
    public bool KeepsBodies(InferenceCaller caller) => catalogue.RecordingOf(caller) == RecordingLevel.Full;

    /// <summary>Whether a deployment that a caller may use for a model keeps responses by itself.</summary>
    public bool KeepsResponses(Caller caller, string model, Guid deploymentId) =>
        catalogue.Find(caller, model)?.OnlyAt(deploymentId) is { Tiers: [[var only]] }
        && Providers.ProviderKinds.Speaks(only.Deployment.Provider.Kind, Operation.Responses);

    /// <summary>Answers a request, wherever it comes from.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="wire">The wire that the request is in.</param>
    /// <param name="prepared">What is asked for.</param>
    /// <param name="sink">Where the answer goes.</param>
    /// <param name="headers">What came with it; null for nothing.</param>
    /// <param name="arrival">When it came, as the time provider tells it.</param>
    public async Task AnswerAsync(
        InferenceCaller caller,
        CallerWire wire,
        PreparedCall prepared,
        IAnswerSink sink,
        IHeaderDictionary? headers,
        long arrival
    )
    {
        var request = prepared.Sent;
        if (catalogue.Find(caller, request.Model) is not { } found)
        {
            await sink.FailAsync(wire.Dialect.ModelNotFound(request.Model));
            return;
        }
        var (places, unknown) = await files.LocateAsync(caller.Files, wire, request, sink.Aborted);
        if (unknown is not null)
        {
            await sink.FailAsync(unknown);
            return;
        }
        var route = prepared.At is { } at ? found.OnlyAt(at) ?? found : found;
        var id = ids.New();
        var identity = new AnswerIdentity(id, time.GetUtcNow());
        var order = new InferenceOrder(wire, request, route, headers)
        {
            Identity = identity,
            Amendments = prepared.Amend?.Invoke(identity),
            Files = places,
            CallerTenantId = caller.TenantId,
            ToleratesUnsupported = headers?[UnsupportedHeader] is ["warn"],
        };
        var picker = new Picker(order);
        var isAvailable = picker.TryNext(out var first);
        long? count = null;
        var refusal = picker.Refusal;
        if (refusal is { Code: InferenceOrder.UnsupportedOperation } && wire.Operation == Operation.CountTokens)
            count = EstimatedCount.Of(request, out refusal);
        if (refusal is not null)
        {
            await sink.FailAsync(refusal);
            return;
        }

        var recording = catalogue.RecordingOf(caller);
        // Of sound and images a digest is kept, and of what is too long for an event.
        var keepsBody =
            recording == RecordingLevel.Full
            && !prepared.Asked.IsForm
            && prepared.Asked.Body.Length <= InferenceJournal.MaxBodyBytes;
        var intended = first ?? route.Tiers[0][0].Deployment;
        await journal.StartAsync(
            prepared.AlsoAtStart is null
                ? caller.Context
                : caller.Context with
                {
                    Also = prepared.AlsoAtStart(identity),
                },
            id,
            new InferenceStarted(
                wire.Name,
                request.Model,
                intended.Name,
                Providers.ProviderKinds.NameOf(intended.Provider.Kind),
                request.Stream,
                caller.PrincipalId,
                caller.ProjectId,
                journal.Instance,
                caller.ClientRequestId,
                recording,
                keepsBody ? null : BodyDigest.Of(prepared.Asked.Body.Span),
                keepsBody ? new RawJson(prepared.Asked.Body) : null
            ),
            sink.Aborted
        );
        var record = new InferenceRecord(journal, caller.Context, id, recording, time, arrival)
        {
            Also = prepared.Also is null ? null : (answer, attempt) => prepared.Also(id, answer, attempt),
        };
        try
        {
            sink.Headers[InferenceIdHeader] = id.ToString();
            if (isAvailable && order.WarningFor(first!) is { } warning)
                sink.Headers[UnsupportedHeader] = HeaderText.Of(warning);
            if (prepared.Started is { } started)
                await started(identity);
            if (count is { } tokens)
                await EstimatedCount.AnswerAsync(tokens, record, sink);
            else if (!isAvailable)
                await RefuseAsync(picker, wire, sink, record);
            else
                await SendAsync(order, picker, first!, sink, record, prepared.IsBackground);
        }
        catch when (!record.IsSettled)
        {
            // Nobody has foreseen it, so it is answered where all such things are. The intent does not stay open for it.
            await record.RefuseAsync(AttemptFailure.Fault);
            throw;
        }
    }

    private async Task SendAsync(
        InferenceOrder order,
        Picker picker,
        Deployment first,
        IAnswerSink sink,
        InferenceRecord record,
        bool isBackground
    )
    {
        var drains = catalogue.DrainsAbandoned && !isBackground;
        using var dispatch = new InferenceDispatch(
            order,
            picker,
            first,
            time,
            drains ? CancellationToken.None : sink.Aborted
        );
        await new InferenceCall(order, dispatch, sink, record, heartbeats) { Drains = drains }.RunAsync();
    }

    // Every deployment is resting: that is known without asking, so it is said at once.
    private static async Task RefuseAsync(Picker picker, CallerWire wire, IAnswerSink sink, InferenceRecord record)
    {
        var wait = Math.Max(1, Math.Ceiling(picker.SoonestAvailable().TotalSeconds));
        var seconds = wait.ToString(CultureInfo.InvariantCulture);
        await record.RefuseAsync(AttemptFailure.NoneAvailable);
        sink.Headers.RetryAfter = seconds;
        await sink.FailAsync(
            wire.Dialect.From(
                new HttpError(
                    503,
                    "deployments-unavailable",
                    $"Every deployment of this model has failed too often or asked for a pause; try again in {seconds} seconds."
                )
            )
        );
    }

    private static string? ClientRequestIdOf(HttpRequest request)
    {
        var given = request.Headers[ClientRequestIdHeader];
        return given.Count == 1 && RequestId.IsSound(given[0]) ? given[0] : null;
    }
}

/// <summary>Who asks a model.</summary>
/// <param name="Context">What is recorded with the call's events.</param>
/// <param name="PrincipalId">The person, service account or client.</param>
/// <param name="ProjectId">The project that the credential belongs to.</param>
/// <param name="ClientRequestId">The client's own id of the request.</param>
internal sealed record InferenceCaller(
    AppendContext Context,
    Guid PrincipalId,
    Guid? ProjectId,
    string? ClientRequestId
)
{
    /// <summary>The organization.</summary>
    public Guid TenantId => Context.TenantId;

    /// <summary>Whose files the request may name: unless it is said, the caller's own.</summary>
    public Access Files { get; init; } = Access.ToOwn(Context.TenantId, PrincipalId);
}

/// <summary>A request that is ready to be sent.</summary>
/// <param name="Asked">As the caller wrote it: this is recorded.</param>
internal sealed record PreparedCall(WireRequest Asked)
{
    /// <summary>What goes to the provider, where it is another.</summary>
    public WireRequest Sent { get; init; } = Asked;

    /// <summary>The deployment that it must go to, if it can; null for any.</summary>
    public Guid? At { get; init; }

    /// <summary>Nobody waits for the answer: the sink's end is a decision to stop, never a client that has gone.</summary>
    public bool IsBackground { get; init; }

    /// <summary>What the answer says otherwise than the provider does, from what it calls itself.</summary>
    public Func<AnswerIdentity, ResponseAmendments?>? Amend { get; init; }

    /// <summary>A statement for the transaction of the intent, from what the answer will call itself.</summary>
    public Func<AnswerIdentity, SqlWrite>? AlsoAtStart { get; init; }

    /// <summary>Called when the intent is durable, before anything is sent.</summary>
    public Func<AnswerIdentity, Task>? Started { get; init; }

    /// <summary>A statement for the transaction of a whole answer, from the inference, the answer, and the try that brought it.</summary>
    public Func<Guid, ReadOnlyMemory<byte>, UpstreamAttempt, SqlWrite?>? Also { get; init; }
}
