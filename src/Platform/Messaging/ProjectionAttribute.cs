namespace Verbatim.Platform.Messaging;

/// <summary>
/// Marks a subscription that keeps a table of its own. The class also has <c>static string CreateTableSql(string table)</c>, and its handlers
/// write to <see cref="Message.Table"/>, through the message's transaction.
/// </summary>
/// <remarks>
/// The projection <c>usage.daily-report</c> is read as <c>usage.daily_report</c>, a view. When its <see cref="Version"/> grows, or somebody
/// asks for it, it is built anew beside the live one, and shown when it has come as far: readers never see a table that is half built.
/// Names of indexes are left to Postgres, since two tables stand side by side.
/// </remarks>
/// <param name="name">The stored name, <c>module.what-it-shows</c>.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class ProjectionAttribute(string name) : SubscriptionAttribute(name)
{
    /// <summary>1 at first, one more with each change of the table or of what goes into it.</summary>
    public int Version { get; init; } = 1;
}
