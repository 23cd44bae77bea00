namespace Verbatim.Modules.Gateway.Wire.Anthropic;

// These two describe the wire in the OpenAPI document; AnthropicErrors writes it.

/// <summary>An error, as Anthropic's API answers it and its SDKs read it.</summary>
/// <param name="Type">Always <c>error</c>.</param>
/// <param name="Error">What went wrong.</param>
internal sealed record AnthropicError(string Type, AnthropicErrorDetails Error);

/// <summary>What went wrong.</summary>
/// <param name="Type">The sort of error: <c>invalid_request_error</c>, <c>rate_limit_error</c>, <c>overloaded_error</c> and others.</param>
/// <param name="Message">A sentence or two for a person.</param>
internal sealed record AnthropicErrorDetails(string Type, string Message);
