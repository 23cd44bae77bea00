using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.Files;

/// <summary>
/// A form with a file in it on its way from the caller to a provider: every byte goes on as it comes, none is kept, and what passes is looked at to
/// tell the file's name, length and hash.
/// </summary>
/// <param name="form">The caller's body.</param>
/// <param name="boundary">Of the form.</param>
/// <param name="length">Of the body; null where it is not known before.</param>
/// <param name="limit">The most bytes that the file may have.</param>
/// <param name="watch">Ends the sending when the provider takes nothing.</param>
internal sealed class FileUploadContent(Stream form, string boundary, long? length, long limit, SilenceWatch watch)
    : HttpContent
{
    /// <summary>What a form may have beside the file.</summary>
    public const int MostBeside = 64 * 1024;

    private const int ReadSize = 64 * 1024;
    private const string FileField = "file";

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _fileBytes;
    private BodyDigest? _digest;

    /// <summary>Why the sending was given up, if it is the form's own fault.</summary>
    public WireError? Refusal { get; private set; }

    /// <summary>The file's name in the form.</summary>
    public string? FileName { get; private set; }

    /// <summary>What identifies the file, once all of the form has been sent.</summary>
    public BodyDigest? Digest => _digest;

    /// <summary>The file has more bytes than it may.</summary>
    public static WireError TooLarge(long limit) =>
        new(413, $"The file is larger than {limit} bytes (Gateway:MaxFileBytes).", FileField, "file_too_large");

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream,
        TransportContext? context,
        CancellationToken cancellationToken
    )
    {
        // What is read is written on first, so nothing is looked at that was not sent.
        await using var passing = new PassingStream(form, stream, limit + MostBeside, watch);
        try
        {
            await ReadAsync(passing, cancellationToken);
        }
        catch (PassingStream.TooLongException e)
        {
            throw Refuse(TooLarge(limit), e);
        }
        catch (Exception e) when (e is InvalidDataException || (e is IOException && !passing.HasFailed))
        {
            throw Refuse(Malformed("it does not hold to RFC 7578"), e);
        }
        if (_digest is null)
            throw Refuse(
                new WireError(
                    400,
                    $"Missing required parameter: '{FileField}'.",
                    FileField,
                    "missing_required_parameter"
                ),
                inner: null
            );
        watch.Begin();
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length ?? 0;
        return length is not null;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _hash.Dispose();
        base.Dispose(disposing);
    }

    private async Task ReadAsync(PassingStream passing, CancellationToken cancellationToken)
    {
        var reader = new MultipartReader(boundary, passing);
        while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
        {
            if (
                ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)
                && HeaderUtilities.RemoveQuotes(disposition.Name).Equals(FileField, StringComparison.Ordinal)
            )
                await ReadFileAsync(section, disposition, cancellationToken);
        }
        // What follows the last boundary is no part of the form, but of the length that was announced.
        var rest = new byte[1024];
        while (await passing.ReadAsync(rest, cancellationToken) > 0) { }
    }

    private async Task ReadFileAsync(
        MultipartSection section,
        ContentDispositionHeaderValue disposition,
        CancellationToken cancellationToken
    )
    {
        // Of two, the gateway and the provider could each believe another.
        if (_digest is not null)
            throw Refuse(new WireError(400, $"Give one '{FileField}'.", FileField, "invalid_value"), inner: null);
        var name = disposition.FileNameStar.HasValue
            ? disposition.FileNameStar
            : HeaderUtilities.RemoveQuotes(disposition.FileName);
        FileName = name.HasValue ? name.Value : null;
        var buffer = new byte[ReadSize];
        int read;
        while ((read = await section.Body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            _fileBytes += read;
            if (_fileBytes > limit)
                throw Refuse(TooLarge(limit), inner: null);
            _hash.AppendData(buffer, 0, read);
        }
        _digest = new BodyDigest(_fileBytes, Convert.ToHexStringLower(_hash.GetHashAndReset()));
    }

    private OperationCanceledException Refuse(WireError why, Exception? inner)
    {
        Refusal ??= why;
        return new OperationCanceledException(why.Message, inner);
    }

    /// <summary>The form cannot be read.</summary>
    public static WireError Malformed(string why) => new(400, $"We could not read your form: {why}.", null, null);
}
