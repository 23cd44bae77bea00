using System.Runtime.InteropServices;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>A value that the caller gave, with the caller's own name of it.</summary>
/// <param name="Parameter">The caller's name: <c>stop</c>, <c>messages[2].content[1].image_url.detail</c>.</param>
/// <param name="Value">What was given.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Given<T>(string Parameter, T Value);
