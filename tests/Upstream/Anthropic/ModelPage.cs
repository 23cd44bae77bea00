using System.Globalization;
using System.Text.Json;

namespace Verbatim.Tests.Upstream.Anthropic;

/// <summary>The answers of <c>GET /v1/models</c> and <c>GET /v1/models/{id}</c> in Anthropic's shape.</summary>
internal static class ModelPage
{
    private const int UsualSize = 20;
    private const int LargestSize = 1000;

    /// <summary>The models that are listed, newest first. Any other name is answered too.</summary>
    private static readonly (string Id, string Name, string Created)[] Models =
    [
        ("claude-fake", "Claude Fake", "2025-09-29T00:00:00Z"),
        ("claude-fake-mini", "Claude Fake Mini", "2025-05-14T00:00:00Z"),
        ("claude-fake-old", "Claude Fake Old", "2024-10-22T00:00:00Z"),
    ];

    /// <summary>Null when there is no such model.</summary>
    public static Answer? One(string id)
    {
        var model = Array.Find(Models, model => string.Equals(model.Id, id, StringComparison.Ordinal));
        return model.Id is null ? null : Json(writer => Write(writer, model));
    }

    /// <exception cref="InvalidRequestException">A parameter is wrong.</exception>
    public static Answer List(in WireRequest request)
    {
        var size = SizeOf(request.Parameter("limit"));
        var after = request.Parameter("after_id");
        var before = request.Parameter("before_id");
        var from = after is null ? 0 : IndexOf(after) + 1;
        var to = before is null ? Models.Length : IndexOf(before);
        // Before an id come the ones nearest to it.
        if (before is not null)
            from = Math.Max(from, to - size);
        var page = Models[from..Math.Max(from, to)];
        var hasMore = before is null ? page.Length > size : from > 0;
        page = [.. page.Take(size)];
        return Json(writer =>
        {
            writer.WriteStartArray("data"u8);
            foreach (var model in page)
            {
                writer.WriteStartObject();
                Write(writer, model);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteBoolean("has_more"u8, hasMore);
            writer.WriteString("first_id"u8, page.FirstOrDefault().Id);
            writer.WriteString("last_id"u8, page.LastOrDefault().Id);
        });
    }

    private static int SizeOf(string? limit)
    {
        if (limit is null)
            return UsualSize;
        if (!int.TryParse(limit, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var size))
            throw new InvalidRequestException("limit: Input should be a valid integer");
        return size switch
        {
            < 1 => throw new InvalidRequestException("limit: Input should be greater than or equal to 1"),
            > LargestSize => throw new InvalidRequestException(
                $"limit: Input should be less than or equal to {LargestSize}"
            ),
            _ => size,
        };
    }

    private static int IndexOf(string id)
    {
        var index = Array.FindIndex(Models, model => string.Equals(model.Id, id, StringComparison.Ordinal));
        return index >= 0 ? index : throw new InvalidRequestException($"There is no model with the id {id}.");
    }

    private static void Write(Utf8JsonWriter writer, (string Id, string Name, string Created) model)
    {
        writer.WriteString("type"u8, "model"u8);
        writer.WriteString("id"u8, model.Id);
        writer.WriteString("display_name"u8, model.Name);
        writer.WriteString("created_at"u8, model.Created);
        writer.WriteNumber("max_input_tokens"u8, 200_000);
        writer.WriteNumber("max_tokens"u8, 64_000);
    }

    private static Answer Json(Action<Utf8JsonWriter> write) =>
        Answer.Json(200, "application/json", JsonBody.Compact(write)) with
        {
            Stamped = AnthropicHeaders.RequestId,
        };
}
