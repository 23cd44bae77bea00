namespace Verbatim.Platform.Http.OpenApi;

/// <summary>The description as it is served.</summary>
/// <param name="Json">UTF-8.</param>
/// <param name="Tag">Tells one content from another, for <c>ETag</c>.</param>
internal sealed record ApiDescriptionFile(byte[] Json, string Tag);
