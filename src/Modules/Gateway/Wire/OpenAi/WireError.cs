namespace Verbatim.Modules.Gateway.Wire.OpenAi;

/// <summary>
/// Why a request on the OpenAI wire is refused, in the parts of OpenAI's error object. Its <c>type</c> follows from the status and the
/// code (<see cref="OpenAiErrors.TypeOf"/>).
/// </summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Message">One sentence or two for a person. Never a part of the body.</param>
/// <param name="Param">The parameter at fault (<c>model</c>, <c>stream_options.include_usage</c>), or null.</param>
/// <param name="Code">OpenAI's own code where it has one (<c>model_not_found</c>, <c>invalid_type</c>), or null.</param>
internal sealed record WireError(int Status, string Message, string? Param, string? Code);
