using Verbatim.Platform.Secrets;

namespace Verbatim.Platform.Http.Idempotency;

/// <summary>The answers that are kept for a day.</summary>
internal sealed class SealedAnswers : SealedColumn
{
    public override string Table => "platform.idempotent_requests";

    public override IReadOnlyList<string> Key { get; } = ["attempt"];

    public override string Column => "answer";

    public override string PurposeOf(IReadOnlyList<object> key) => IdempotentRequests.PurposeOf((Guid)key[0]);
}
