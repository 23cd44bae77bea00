using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Verbatim.Modules.Identity.OAuth;

/// <summary>
/// The parameters of a request to one of the protocol's endpoints. One without a value counts as left out, unknown ones are passed over, and
/// none may come twice (RFC 6749 §3.1 and §3.2).
/// </summary>
internal sealed class OAuthParameters
{
    private const int MaxParameters = 64;
    private const int MaxFormBytes = 64 * 1024;

    private static readonly FormOptions Limits = new()
    {
        ValueCountLimit = MaxParameters,
        KeyLengthLimit = 256,
        ValueLengthLimit = MaxFormBytes,
        BufferBodyLengthLimit = MaxFormBytes,
        MemoryBufferThreshold = MaxFormBytes,
    };

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private OAuthParameters(IEnumerable<KeyValuePair<string, StringValues>> given)
    {
        foreach (var (name, values) in given)
        {
            // Names that differ in case alone come as one here, so a second one is seen even then.
            if (values.Count > 1 || !_values.TryAdd(name, values.ToString()))
                Repeated ??= name;
        }
    }

    /// <summary>The first parameter that came twice, or null.</summary>
    public string? Repeated { get; }

    /// <summary>The value, or null where it was left out.</summary>
    public string? this[string name] => _values.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    public static OAuthParameters Of(IEnumerable<KeyValuePair<string, StringValues>> given) => new(given);

    /// <summary>Reads the form of a request.</summary>
    /// <returns>Null and the error where there is none that can be read.</returns>
    public static async Task<(OAuthParameters? Form, OAuthError? Error)> ReadFormAsync(
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        if (!IsForm(http.Request.ContentType))
            return (null, OAuthError.Malformed("Send the parameters as application/x-www-form-urlencoded."));
        if (http.Request.ContentLength > MaxFormBytes)
            return (null, OAuthError.Malformed("The form is too large."));
        IFormCollection form;
        try
        {
            form = await http.Request.ReadFormAsync(Limits, cancellationToken);
        }
        catch (Exception e) when (e is InvalidDataException or BadHttpRequestException { StatusCode: 400 or 413 })
        {
            return (null, OAuthError.Malformed("The form cannot be read."));
        }
        var parameters = new OAuthParameters(form);
        if (parameters.Repeated is not null)
            return (null, OAuthError.Malformed("A parameter was given more than once."));
        return (parameters, null);
    }

    private static bool IsForm(string? contentType)
    {
        if (contentType is null)
            return false;
        var end = contentType.IndexOf(';', StringComparison.Ordinal);
        var type = end < 0 ? contentType.AsSpan() : contentType.AsSpan(0, end);
        return type.Trim().Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);
    }
}
