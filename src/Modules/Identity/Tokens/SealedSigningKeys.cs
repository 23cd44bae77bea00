using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>The private halves of the keys that sign access tokens.</summary>
internal sealed class SealedSigningKeys : SealedColumn
{
    public override string Table => "identity.signing_keys";

    public override IReadOnlyList<string> Key { get; } = ["kid"];

    public override string Column => "sealed_key";

    public override string PurposeOf(IReadOnlyList<object> key) => SigningKeys.PurposeOf((string)key[0]);
}
