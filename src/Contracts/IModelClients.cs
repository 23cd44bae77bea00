using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Contracts;

/// <summary>The one way by which a module reaches models: the gateway's own, with its routing, its limits and its records.</summary>
public interface IModelClients
{
    /// <summary>
    /// The property of an answer's message, in a stream of its first update, that names the call: a <see cref="Guid"/>, as in <c>/api/inferences/{id}</c>.
    /// </summary>
    const string InferenceId = "inferenceId";

    /// <summary>
    /// A client that asks models in the name of a caller. It keeps nothing between two calls and may be used by many at once; there is nothing to
    /// dispose of.
    /// </summary>
    /// <remarks>
    /// Each call names its model in <see cref="ChatOptions.ModelId"/>. It throws <see cref="ModelCallException"/> when there is no full answer, and
    /// <see cref="NotSupportedException"/> for what the wire to models has no word for. A stream that is not read to its end, or whose token is
    /// cancelled, ends the call, which is then on record as cancelled. Reasoning comes as <see cref="TextReasoningContent"/>, whose
    /// <see cref="TextReasoningContent.ProtectedData"/> must go back unchanged with the message that it is part of.
    /// </remarks>
    IChatClient For(ModelCaller caller);
}

/// <summary>In whose name a module asks models.</summary>
/// <param name="Context">Who acts and for which request, as in the module's own events.</param>
/// <param name="PrincipalId">The person, service account or client whose call it is; it is listed among theirs.</param>
public sealed record ModelCaller(AppendContext Context, Guid PrincipalId)
{
    /// <summary>The project whose models, limits and budgets count.</summary>
    public Guid? ProjectId { get; init; }

    /// <summary>
    /// What the call is part of, such as <c>run:0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35</c>: up to 128 visible ASCII characters, recorded as the client's
    /// own id of the request, by which <c>/api/inferences?clientRequestId=</c> finds all calls of a run.
    /// </summary>
    public string? Reference { get; init; }

    /// <summary>The caller of a request.</summary>
    public static ModelCaller Of(Caller caller, HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return new ModelCaller(caller.For(context), caller.PrincipalId) { ProjectId = caller.ProjectId };
    }
}
