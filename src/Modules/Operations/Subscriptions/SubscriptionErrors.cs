using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Operations.Subscriptions;

internal static class SubscriptionErrors
{
    public static readonly HttpError NotFound = new(
        StatusCodes.Status404NotFound,
        "operations.subscription-not-found",
        "There is no subscription of this name; GET /api/admin/subscriptions lists them."
    );
}
