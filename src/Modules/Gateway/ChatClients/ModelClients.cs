using Microsoft.Extensions.AI;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.ChatClients;

internal sealed class ModelClients(InferenceCalls calls, Catalogue catalogue, TimeProvider time) : IModelClients
{
    public IChatClient For(ModelCaller caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        if (caller.Reference is { } reference && !RequestId.IsSound(reference))
            throw new ArgumentException("A reference has 1 to 128 visible ASCII characters.", nameof(caller));
        return new GatewayChatClient(
            calls,
            catalogue,
            time,
            new InferenceCaller(
                // What belongs to the caller's own append is not done by the call's.
                caller.Context with
                {
                    Also = null,
                    IfMatch = null,
                    OnlyOwnedBy = null,
                    Subject = caller.Context.Subject ?? caller.PrincipalId,
                },
                caller.PrincipalId,
                caller.ProjectId,
                caller.Reference
            )
        );
    }
}
