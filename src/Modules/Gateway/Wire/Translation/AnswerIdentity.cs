using System.Runtime.InteropServices;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>What an answer that is put together here calls itself: providers leave ids out, or give one twice.</summary>
/// <param name="Id">Becomes <c>chatcmpl-…</c>, <c>msg_…</c> or <c>resp_…</c>.</param>
/// <param name="CreatedAt">Told on OpenAI's wires.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct AnswerIdentity(Guid Id, DateTimeOffset CreatedAt);
