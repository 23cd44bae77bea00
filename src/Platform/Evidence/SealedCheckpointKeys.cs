using Verbatim.Platform.Secrets;

namespace Verbatim.Platform.Evidence;

/// <summary>The private halves of the keys that sign checkpoints.</summary>
internal sealed class SealedCheckpointKeys : SealedColumn
{
    public override string Table => "platform.checkpoint_keys";

    public override IReadOnlyList<string> Key { get; } = ["key_id"];

    public override string Column => "sealed_private_key";

    public override string PurposeOf(IReadOnlyList<object> key) => CheckpointKeys.PurposeOf((byte[])key[0]);
}
