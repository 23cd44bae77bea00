using System.Globalization;
using System.Text.Json;
using Verbatim.Tests.Upstream.OpenAi;

namespace Verbatim.Tests.Upstream.Raw;

/// <summary>The answers of <c>/v1/files</c> (API reference, "The file object"). Their content comes back to the byte.</summary>
internal sealed class Files(FileStore? store)
{
    private const string Root = "/v1/files";
    private const int IdLength = 24;
    private const int UsualSize = 10_000;

    public static bool Serves(string path) =>
        path.StartsWith(Root, StringComparison.Ordinal) && (path.Length == Root.Length || path[Root.Length] is '/');

    /// <summary>The commands in the name of a file whose content is asked for, which it was sent with; null for any other request.</summary>
    public string? CommandsOf(in WireRequest request) =>
        request.IsGet
        && Serves(request.Path)
        && request.Path.EndsWith("/content", StringComparison.Ordinal)
        && store?.Find(request.Path.Split('/')[^2]) is { } file
            ? file.File.Name
            : null;

    /// <exception cref="InvalidRequestException">The request is wrong.</exception>
    public Answer Answer(in WireRequest request)
    {
        if (request.Path.Length == Root.Length)
        {
            return request.IsPost ? Create(request)
                : request.IsGet ? List(request)
                : OpenAiErrors.WrongMethod(request.Method, request.Path);
        }

        var path = request.Path[(Root.Length + 1)..].Split('/');
        if (path is not ([_] or [_, "content"]))
            return OpenAiErrors.UnknownUrl(request.Method, request.Path);
        if (store?.Find(path[0]) is not { } file)
            return OpenAiErrors.NotFound($"No such File object: {path[0]}");
        return path switch
        {
            [_] when request.IsGet => Json(200, writer => Write(writer, file)),
            [_] when request.IsDelete => Delete(file),
            [_, _] when request.IsGet => Upstream.Answer.Of(200, file.File.ContentType, file.File.Content),
            _ => OpenAiErrors.WrongMethod(request.Method, request.Path),
        };
    }

    private Answer Create(in WireRequest request)
    {
        var form = Form.Read(request);
        if (form["purpose"] is not { } purpose)
            throw Missing("purpose");
        if (form.File is not { Field: "file" } sent)
            throw Missing("file");
        var file = new StoredFile("file-" + request.Stamp.Id(IdLength), purpose, sent, request.Stamp.UnixSeconds);
        store?.Keep(file);
        return Json(200, writer => Write(writer, file));
    }

    private Answer List(in WireRequest request)
    {
        var files = store?.All ?? [];
        if (request.Parameter("purpose") is { } purpose)
            files.RemoveAll(file => !string.Equals(file.Purpose, purpose, StringComparison.Ordinal));
        if (request.Parameter("order") is "asc")
            files.Reverse();
        if (request.Parameter("after") is { } after)
            files.RemoveRange(0, files.FindIndex(file => string.Equals(file.Id, after, StringComparison.Ordinal)) + 1);
        var size = int.TryParse(
            request.Parameter("limit"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var given
        )
            ? given
            : UsualSize;
        var page = files.Take(size).ToList();
        return Json(
            200,
            writer =>
            {
                writer.WriteString("object"u8, "list"u8);
                writer.WriteStartArray("data"u8);
                foreach (var file in page)
                {
                    writer.WriteStartObject();
                    Write(writer, file);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteString("first_id"u8, page.FirstOrDefault()?.Id);
                writer.WriteString("last_id"u8, page.LastOrDefault()?.Id);
                writer.WriteBoolean("has_more"u8, files.Count > page.Count);
            }
        );
    }

    private Answer Delete(StoredFile file)
    {
        store!.Remove(file);
        return Json(
            200,
            writer =>
            {
                writer.WriteString("object"u8, "file"u8);
                writer.WriteBoolean("deleted"u8, true);
                writer.WriteString("id"u8, file.Id);
            }
        );
    }

    private static void Write(Utf8JsonWriter writer, StoredFile file)
    {
        writer.WriteString("object"u8, "file"u8);
        writer.WriteString("id"u8, file.Id);
        writer.WriteString("purpose"u8, file.Purpose);
        writer.WriteString("filename"u8, file.File.Name);
        writer.WriteNumber("bytes"u8, file.File.Content.Length);
        writer.WriteNumber("created_at"u8, file.CreatedAt);
        writer.WriteNull("expires_at"u8);
        writer.WriteString("status"u8, "processed"u8);
        writer.WriteNull("status_details"u8);
    }

    private static Answer Json(int status, Action<Utf8JsonWriter> write) =>
        Upstream.Answer.Of(status, "application/json", JsonBody.Indented(write));

    private static InvalidRequestException Missing(string field) =>
        new($"Missing required parameter: '{field}'.") { Field = field, Code = "missing_required_parameter" };
}
