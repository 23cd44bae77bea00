namespace Verbatim.Modules.Gateway.Wire.OpenAi;

// These two describe the wire in the OpenAPI document; OpenAiErrors writes it.

/// <summary>An error, as OpenAI's API answers it and its SDKs read it.</summary>
/// <param name="Error">What went wrong.</param>
internal sealed record OpenAiError(OpenAiErrorDetails Error);

/// <summary>What went wrong.</summary>
/// <param name="Message">A sentence or two for a person.</param>
/// <param name="Type">The sort of error: <c>invalid_request_error</c>, <c>requests</c>, <c>insufficient_quota</c> or <c>server_error</c>.</param>
/// <param name="Param">The parameter at fault, where there is one.</param>
/// <param name="Code">Stable and machine-readable, where there is one: <c>model_not_found</c>.</param>
internal sealed record OpenAiErrorDetails(string Message, string Type, string? Param, string? Code);
