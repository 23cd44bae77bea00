namespace Verbatim.Modules.Gateway.Inferences.History;

/// <summary>One try at a provider. From before a call could have several tries, a price, a project, or bodies that are not kept.</summary>
internal sealed record AttemptV1(
    int Number,
    string Deployment,
    int? Status,
    string? UpstreamRequestId,
    double DurationMs
)
{
    public static Attempt[] Upcast(IReadOnlyList<AttemptV1> attempts) =>
        [
            .. attempts.Select(a => new Attempt(
                a.Number,
                a.Deployment,
                Provider: null,
                a.Status,
                a.UpstreamRequestId,
                a.DurationMs,
                Failure: null
            )),
        ];
}
