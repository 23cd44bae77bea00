namespace Verbatim.Tests.Upstream.Commands;

/// <summary>A tool call to answer with. Absent parts are filled in by the wire.</summary>
internal sealed record ToolCall(string? Id, string? Name, string? Arguments);
