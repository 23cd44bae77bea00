using Verbatim.Platform.Secrets;

namespace Verbatim.Platform.PersonalData;

/// <summary>The keys of persons.</summary>
internal sealed class SealedSubjectKeys : SealedColumn
{
    public override string Table => "platform.subject_keys";

    public override IReadOnlyList<string> Key { get; } = ["tenant_id", "subject_id"];

    public override string Column => "sealed_key";

    public override string PurposeOf(IReadOnlyList<object> key) => SubjectKeys.PurposeOf((Guid)key[0], (Guid)key[1]);
}
