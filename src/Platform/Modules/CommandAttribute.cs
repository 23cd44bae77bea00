namespace Verbatim.Platform.Modules;

/// <summary>How an <see cref="ICommand"/> is called: known without making it, so that help needs nothing to be started.</summary>
/// <param name="name">The word that calls it.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class CommandAttribute(string name) : Attribute
{
    /// <summary>The word that calls it.</summary>
    public string Name => name;

    /// <summary>Its arguments, for instance <c>&lt;stream&gt; [--at time]</c>.</summary>
    public required string Usage { get; init; }

    /// <summary>What it does, in one line.</summary>
    public required string Summary { get; init; }
}
