using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.OAuth.Clients;

/// <summary>What every verb of a client may answer.</summary>
internal static class OAuthClientErrors
{
    public const string NotFoundCode = "identity.oauth-client-not-found";
    public const string NotFoundMessage = "There is no such OAuth client.";
    public const string DeletedCode = "identity.oauth-client-deleted";
    public const string DeletedMessage = "The OAuth client was deleted, which is for good.";

    public static Decision NotFound { get; } = Decision.Refuse(RefusalKind.NotFound, NotFoundCode, NotFoundMessage);

    public static Decision Deleted { get; } = Decision.Refuse(RefusalKind.Conflict, DeletedCode, DeletedMessage);
}
