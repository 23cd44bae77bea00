namespace Verbatim.Platform.Messaging.Jobs;

/// <summary>
/// Marks a class whose static <c>HandleAsync</c> method does a job. Its first parameter is the payload, a record of ids and numbers that
/// belongs to this job alone; further ones are <see cref="JobContext"/>, services and a cancellation token.
/// </summary>
/// <remarks>
/// A job ends once, as recorded: what it writes through <see cref="JobContext.BeginAsync"/> is committed together with its end. What it does
/// elsewhere it may do again, when its instance dies in the middle of it or it fails and is tried again.
/// </remarks>
/// <example>
/// <code>
/// [Job("files.make-preview", Queue = "previews", Concurrency = 2)]
/// internal static class MakePreview
/// {
///     public static Task HandleAsync(PreviewWanted wanted, JobContext context, Files files, CancellationToken cancellationToken) => …
/// }
/// </code>
/// </example>
/// <param name="name">The stored name, <c>module.what-it-does</c>. It never changes.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class JobAttribute(string name) : Attribute
{
    /// <summary>The queue of jobs that do not say.</summary>
    public const string DefaultQueue = "default";

    /// <summary>The stored name.</summary>
    public string Name { get; } = name;

    /// <summary>The jobs that it shares <see cref="Concurrency"/> with.</summary>
    public string Queue { get; init; } = DefaultQueue;

    /// <summary>How many jobs of its queue an instance runs at a time, 1 to 100. Of several jobs of a queue the largest counts.</summary>
    public int Concurrency { get; init; } = 4;

    /// <summary>How often it is tried before it is dead, 1 to 1000.</summary>
    public int MaxAttempts { get; init; } = 10;
}
