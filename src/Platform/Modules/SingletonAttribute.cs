namespace Verbatim.Platform.Modules;

/// <summary>
/// A class that each host has one of, made when it is first asked for: found in the module's assembly, so that no list of them is kept.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class SingletonAttribute : Attribute;
