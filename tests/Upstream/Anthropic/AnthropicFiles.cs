using System.Globalization;
using System.Text.Json;
using Verbatim.Tests.Upstream.Raw;

namespace Verbatim.Tests.Upstream.Anthropic;

/// <summary>
/// The answers of Anthropic's <c>/v1/files</c> (API reference, "Files"). What was sent is not given out again there; here it is, when its name begins
/// with <c>download</c>, as what a tool has made would be.
/// </summary>
internal sealed class AnthropicFiles(FileStore? store)
{
    private const string Root = "/v1/files";
    private const int IdLength = 24;

    /// <exception cref="InvalidRequestException">The request is wrong.</exception>
    public Answer Answer(in WireRequest request)
    {
        if (request.Path.Length == Root.Length)
            return request.IsPost ? Create(request) : AnthropicErrors.WrongMethod;
        var path = request.Path[(Root.Length + 1)..].Split('/');
        if (path is not ([_] or [_, "content"]))
            return AnthropicErrors.UnknownUrl;
        if (store?.Find(path[0]) is not { } file)
            return AnthropicErrors.NoFile(path[0]);
        if (path is [_, _])
        {
            return file.File.Name.StartsWith("download", StringComparison.Ordinal)
                ? Upstream.Answer.Of(200, file.File.ContentType, file.File.Content)
                : AnthropicErrors.Invalid($"File {file.Id} is not downloadable.");
        }

        if (request.IsGet)
            return Json(writer => Write(writer, file));
        if (!request.IsDelete)
            return AnthropicErrors.WrongMethod;
        store.Remove(file);
        return Json(writer =>
        {
            writer.WriteString("id"u8, file.Id);
            writer.WriteString("type"u8, "file_deleted"u8);
        });
    }

    private Answer Create(in WireRequest request)
    {
        if (Form.Read(request).File is not { Field: "file" } sent)
            throw new InvalidRequestException("file: Field required");
        var file = new StoredFile("file_" + request.Stamp.Id(IdLength), "", sent, request.Stamp.UnixSeconds);
        store?.Keep(file);
        return Json(writer => Write(writer, file));
    }

    private static void Write(Utf8JsonWriter writer, StoredFile file)
    {
        writer.WriteString("type"u8, "file"u8);
        writer.WriteString("id"u8, file.Id);
        writer.WriteString("filename"u8, file.File.Name);
        writer.WriteString("mime_type"u8, file.File.ContentType);
        writer.WriteNumber("size_bytes"u8, file.File.Content.Length);
        writer.WriteString(
            "created_at"u8,
            DateTimeOffset
                .FromUnixTimeSeconds(file.CreatedAt)
                .ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)
        );
        writer.WriteBoolean("downloadable"u8, false);
    }

    private static Answer Json(Action<Utf8JsonWriter> write) =>
        Upstream.Answer.Of(200, "application/json", JsonBody.Indented(write));
}
