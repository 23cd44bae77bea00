using System.Runtime.InteropServices;

namespace Verbatim.Platform.Events;

/// <summary>The end of the log.</summary>
/// <param name="Position">Of its last event; 0 for an empty log.</param>
/// <param name="Time">Of its last event, in microseconds since 1970; 0 for an empty log.</param>
/// <param name="Generation">Of the documents: it grows when some were repaired.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogHead(long Position, long Time, long Generation);
