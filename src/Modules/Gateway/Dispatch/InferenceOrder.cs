using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Files;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi.Responses;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>What a caller asks for, and how each deployment of its route can be asked for it.</summary>
/// <param name="wire">The wire that the caller speaks.</param>
/// <param name="request">The body, read.</param>
/// <param name="route">Where it may go.</param>
/// <param name="headers">The caller's headers, some of which a provider of the same wire is told; null without any.</param>
internal sealed class InferenceOrder(CallerWire wire, WireRequest request, Route route, IHeaderDictionary? headers)
{
    /// <summary>The code of the refusal of what a provider has nothing like.</summary>
    public const string UnsupportedOperation = "unsupported_operation";

    private readonly Dictionary<TranslationTarget, Translated> _translations = [];

    public CallerWire Wire => wire;

    public WireRequest Request => request;

    public Route Route => route;

    public IHeaderDictionary? Headers => headers;

    /// <summary>What an answer that is put together here calls itself.</summary>
    public required AnswerIdentity Identity { get; init; }

    /// <summary>What the answer says otherwise than the provider does; null for nothing.</summary>
    public ResponseAmendments? Amendments { get; init; }

    /// <summary>The caller would rather have an answer without what a provider cannot do, and be told of it.</summary>
    public bool ToleratesUnsupported { get; init; }

    /// <summary>At which providers the files are that the request names; null when it names none.</summary>
    public FilePlaces? Files { get; init; }

    /// <summary>The organization that asks.</summary>
    public Guid? CallerTenantId { get; init; }

    /// <summary>What the deployment's provider is asked for.</summary>
    public Operation TargetOperation(Deployment deployment) =>
        ProviderKinds.Speaks(deployment.Provider.Kind, wire.Operation)
            ? wire.Operation
            : ProviderKinds.Translated(deployment.Provider.Kind, wire.Operation) ?? wire.Operation;

    /// <summary>Whether the deployment can do all that is asked for.</summary>
    /// <param name="deployment">The deployment.</param>
    /// <param name="refusal">What to tell the caller if none can.</param>
    public bool CanBeDoneBy(Deployment deployment, [NotNullWhen(false)] out WireError? refusal)
    {
        refusal = Files?.RefusalAt(deployment.Provider.Settings.Id);
        if (refusal is not null)
            return false;
        if (ProviderKinds.Speaks(deployment.Provider.Kind, wire.Operation))
        {
            refusal = RefusalOfKept(deployment);
            return refusal is null;
        }
        if (!TranslatedCall.IsPossible(wire.Operation, TargetOperation(deployment)))
        {
            refusal = new WireError(
                400,
                $"The model `{request.Model}` cannot be asked on this route: its provider ({ProviderKinds.NameOf(deployment.Provider.Kind)}) has nothing like it.",
                "model",
                UnsupportedOperation
            );
            return false;
        }
        var translated = Translate(deployment);
        refusal = translated.Error;
        if (
            refusal is null
            && translated.Call!.Unsupported is { Count: > 0 } unsupported
            && (!ToleratesUnsupported || translated.Call.HasNothingElse)
        )
        {
            refusal = new WireError(
                400,
                string.Join(' ', unsupported.Select(u => $"'{u.Parameter}' {u.Reason}."))
                    + (
                        translated.Call.HasNothingElse
                            ? " There is nothing else in the messages."
                            : " Leave it out, or send 'x-verbatim-unsupported: warn' to have it left out for you."
                    ),
                unsupported[0].Parameter,
                "unsupported_parameter"
            );
        }
        return refusal is null;
    }

    /// <summary>How the two wires are brought together; null where they are the same. The deployment can do what is asked for.</summary>
    public TranslatedCall? TranslationFor(Deployment deployment) =>
        ProviderKinds.Speaks(deployment.Provider.Kind, wire.Operation) ? null : Translate(deployment).Call;

    /// <summary>What the caller is told of parameters that are left out for this deployment; null when none is.</summary>
    public string? WarningFor(Deployment deployment) =>
        TranslationFor(deployment)?.Unsupported is { Count: > 0 } unsupported
            ? string.Join(", ", unsupported.Select(static u => u.Parameter))
            : null;

    // Where organizations share a credential, the provider cannot tell them apart.
    private WireError? RefusalOfKept(Deployment deployment) =>
        CallerTenantId is { } caller
        && deployment.OwnerId is { } owner
        && owner != caller
        && ProviderKept.FirstIn(wire.Operation, request.Body.Span) is { } parameter
            ? new WireError(
                400,
                $"'{parameter}' names what is kept at the provider, whose credential your organization shares with others. Send the content itself, or use a model at a provider of your own.",
                parameter,
                "kept_at_shared_provider"
            )
            : null;

    private Translated Translate(Deployment deployment)
    {
        var target = new TranslationTarget(
            TargetOperation(deployment),
            deployment.UpstreamModelFor(request.Model),
            deployment.Settings.DefaultMaxTokens
        )
        {
            HasReasoningDetails = deployment.Provider.Kind == ProviderKind.OpenRouter,
        };
        if (!_translations.TryGetValue(target, out var translated))
        {
            TranslatedCall.TryOpen(wire.Operation, request.Body, target, Identity, out var call, out var error);
            _translations.Add(target, translated = new Translated(call, error));
        }
        return translated;
    }

    private sealed record Translated(TranslatedCall? Call, WireError? Error);
}
