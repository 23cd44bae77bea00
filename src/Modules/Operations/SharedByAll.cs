using Verbatim.Platform.Http;

namespace Verbatim.Modules.Operations;

/// <summary>What all organizations share is changed by those alone who run the installation.</summary>
internal static class SharedByAll
{
    public static readonly HttpError Refused = new(
        403,
        "operations.shared-by-all",
        "All organizations share this; only administrators of the organization that runs the installation may change it."
    );
}
