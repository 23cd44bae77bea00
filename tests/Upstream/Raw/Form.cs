using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Verbatim.Tests.Upstream.Raw;

/// <summary>A body of form data (RFC 7578), read from its bytes.</summary>
internal sealed class Form
{
    private readonly Dictionary<string, string> _fields = new(StringComparer.Ordinal);

    private Form() { }

    /// <summary>The part that is a file; null when there is none.</summary>
    public FormFile? File { get; private set; }

    /// <summary>The text of a field, or null.</summary>
    public string? this[string name] => _fields.GetValueOrDefault(name);

    /// <summary>The form, or null where the body is none.</summary>
    public static Form? TryRead(in WireRequest request)
    {
        try
        {
            return Read(request);
        }
        catch (InvalidRequestException)
        {
            return null;
        }
    }

    /// <exception cref="InvalidRequestException">The body is no form.</exception>
    public static Form Read(in WireRequest request)
    {
        var type = request.Header("content-type");
        if (
            !MediaTypeHeaderValue.TryParse(type, out var media)
            || !media.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(media.Boundary).Value is not { Length: > 0 } boundary
        )
        {
            throw new InvalidRequestException(
                "We could not parse the multipart form body of your request: no multipart boundary in its content type."
            );
        }

        using var body = new MemoryStream(request.Body.ToArray());
        try
        {
            return Read(new MultipartReader(boundary, body));
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException)
        {
            throw new InvalidRequestException("We could not parse the multipart form body of your request.");
        }
    }

    private static Form Read(MultipartReader reader)
    {
        var form = new Form();
        // The stream is memory, so nothing is waited for.
        while (reader.ReadNextSectionAsync().GetAwaiter().GetResult() is { } section)
        {
            if (section.GetContentDispositionHeader() is not { } disposition)
                continue;
            using var content = new MemoryStream();
            section.Body.CopyTo(content);
            var name = HeaderUtilities.RemoveQuotes(disposition.Name).ToString();
            if (disposition.IsFileDisposition())
            {
                var fileName = disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName;
                form.File = new FormFile(
                    name,
                    HeaderUtilities.RemoveQuotes(fileName).ToString(),
                    section.ContentType ?? "application/octet-stream",
                    content.ToArray()
                );
            }
            else
            {
                form._fields[name] = System.Text.Encoding.UTF8.GetString(content.ToArray());
            }
        }

        return form;
    }
}

/// <summary>The file in a form, to the byte.</summary>
internal sealed record FormFile(string Field, string Name, string ContentType, byte[] Content);
