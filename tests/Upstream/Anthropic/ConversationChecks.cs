using System.Text.Json;
using System.Text.RegularExpressions;

namespace Verbatim.Tests.Upstream.Anthropic;

/// <summary>The messages of a request: roles, blocks, and each tool's call with its result right after it.</summary>
internal static partial class ConversationChecks
{
    /// <exception cref="InvalidRequestException">The conversation is wrong.</exception>
    public static void Check(JsonCheck messages)
    {
        var all = messages.Items().ToList();
        if (all.Count is 0)
            throw messages.Wrong("at least one message is required");
        var turns = new List<Turn>();
        for (var index = 0; index < all.Count; index++)
        {
            var role = CheckMessage(all[index], isLast: index == all.Count - 1);
            if (turns.Count is 0 || !string.Equals(turns[^1].Role, role, StringComparison.Ordinal))
                turns.Add(new Turn(role, index, []));
            // Messages of one role after another are one turn.
            turns[^1].Blocks.AddRange(BlocksOf(all[index]));
        }

        if (turns[0].Role is not "user")
            throw messages.Wrong("first message must use the \"user\" role");
        CheckCalls(turns);
    }

    /// <summary>A block of text, of a message or of the system prompt.</summary>
    public static void CheckText(JsonCheck block, string where)
    {
        var text = block.As("text");
        if (text.Required("text").Text().Length is 0)
            throw new InvalidRequestException($"{where}: text content blocks must be non-empty");
        text.Only("type", "text", "cache_control", "citations");
    }

    private static string CheckMessage(JsonCheck message, bool isLast)
    {
        var role = message.Object().Required("role").Text();
        if (role is "system")
        {
            throw new InvalidRequestException(
                "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not "
                    + "\"system\" as an input message role."
            );
        }

        if (role is not ("user" or "assistant"))
        {
            throw new InvalidRequestException(
                $"messages: Unexpected role \"{role}\". Allowed roles are \"user\" or \"assistant\"."
            );
        }

        var content = message.Required("content");
        message.Only("role", "content");
        var isEmpty = content.IsText ? content.Text().Length is 0 : !content.Items().Any();
        if (isEmpty && !(isLast && role is "assistant"))
        {
            throw new InvalidRequestException(
                "messages: all messages must have non-empty content except for the optional final assistant message"
            );
        }

        if (!content.IsText)
        {
            foreach (var block in content.Items())
                CheckBlock(block, role);
        }

        CheckPrefill(content, isLast && role is "assistant");
        return role;
    }

    private static void CheckPrefill(JsonCheck content, bool isPrefill)
    {
        if (!isPrefill)
            return;
        var last = content.IsText ? content.Text() : content.Items().LastOrDefault().LastText();
        if (last is { Length: > 0 } && char.IsWhiteSpace(last[^1]))
            throw new InvalidRequestException("messages: final assistant content cannot end with trailing whitespace");
    }

    private static string? LastText(this JsonCheck block) =>
        block.IsObject && block.Optional("type")?.Text() is "text" ? block.Required("text").Text() : null;

    private static void CheckBlock(JsonCheck block, string role)
    {
        var kind = block.Tag(
            "document",
            "image",
            "redacted_thinking",
            "search_result",
            "server_tool_use",
            "text",
            "thinking",
            "tool_result",
            "tool_use",
            "web_search_tool_result"
        );
        var needed = kind switch
        {
            "tool_use" or "thinking" or "redacted_thinking" or "server_tool_use" => "assistant",
            "tool_result" or "image" or "document" or "search_result" => "user",
            _ => role,
        };
        if (!string.Equals(needed, role, StringComparison.Ordinal))
            throw block.Wrong($"`{kind}` blocks can only be in `{needed}` messages");

        var inside = block.As(kind);
        switch (kind)
        {
            case "text":
                CheckText(block, "messages");
                break;
            case "image":
            case "document":
                CheckSource(inside, kind);
                break;
            case "tool_use":
                CheckCall(inside);
                break;
            case "tool_result":
                CheckResult(inside);
                break;
            case "thinking":
                inside.Required("thinking").Text();
                if (inside.Required("signature").Text().Length is 0)
                    throw block.Wrong("Invalid `signature` in `thinking` block");
                inside.Only("type", "thinking", "signature");
                break;
            case "redacted_thinking":
                inside.Required("data").Text();
                inside.Only("type", "data");
                break;
            default:
                break;
        }
    }

    private static void CheckSource(JsonCheck block, string kind)
    {
        var isImage = kind is "image";
        if (isImage)
            block.Only("type", "source", "cache_control", "transformations");
        else
            block.Only("type", "source", "cache_control", "title", "context", "citations");
        var source = block.Required("source");
        var type = isImage
            ? source.Tag("base64", "file", "url")
            : source.Tag("base64", "content", "file", "text", "url");
        var inside = source.As(type);
        switch (type)
        {
            case "base64":
                if (isImage)
                    inside.Required("media_type").OneOf("image/jpeg", "image/png", "image/gif", "image/webp");
                else
                    inside.Required("media_type").OneOf("application/pdf");
                var data = inside.Required("data").Text();
                if (data.Length is 0 || !Convert.TryFromBase64String(data, new byte[data.Length], out _))
                    throw inside.Wrong("data", "invalid base64 data");
                inside.Only("type", "media_type", "data");
                break;
            case "url":
                if (
                    !Uri.TryCreate(inside.Required("url").Text(), UriKind.Absolute, out var uri) || uri.Scheme is "data"
                )
                    throw inside.Wrong("url", "Only HTTPS URLs are supported");
                inside.Only("type", "url");
                break;
            case "text":
                inside.Required("media_type").OneOf("text/plain");
                inside.Required("data").Text();
                inside.Only("type", "media_type", "data");
                break;
            case "file":
                inside.Required("file_id").Text();
                break;
            default:
                inside.Required("content");
                break;
        }
    }

    private static void CheckCall(JsonCheck call)
    {
        var id = call.Required("id");
        if (!IdPattern().IsMatch(id.Text()))
            throw id.Wrong("String should match pattern '^[a-zA-Z0-9_-]+$'");
        if (call.Required("name").Text().Length is 0)
            throw call.Wrong("name", "String should have at least 1 character");
        if (!call.Required("input").IsObject)
            throw call.Wrong("input", "Input should be a valid dictionary");
        call.Only("type", "id", "name", "input", "cache_control", "caller");
    }

    private static void CheckResult(JsonCheck result)
    {
        result.Required("tool_use_id").Text();
        result.Optional("is_error")?.Flag();
        result.Only("type", "tool_use_id", "content", "is_error", "cache_control");
        if (result.Optional("content") is not { IsText: false } content)
            return;
        foreach (var block in content.Items())
        {
            var kind = block.Tag("document", "image", "search_result", "text", "tool_reference");
            if (kind is "text")
                CheckText(block, "messages");
            else if (kind is "image" or "document")
                CheckSource(block.As(kind), kind);
        }
    }

    private static void CheckCalls(List<Turn> turns)
    {
        var previous = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var turn = 0; turn < turns.Count; turn++)
        {
            var (_, first, blocks) = turns[turn];
            CheckResults(blocks, previous);
            previous = IdsOf(blocks, "tool_use", "id");
            if (previous.Exists(id => !seen.Add(id)))
                throw new InvalidRequestException("messages: `tool_use` ids must be unique");
            if (previous.Count is 0)
                continue;

            // Only the results that the next turn begins with count.
            var results = turn + 1 < turns.Count ? turns[turn + 1].Blocks.TakeWhile(IsResult) : [];
            var answered = results.Select(static block => block.Required("tool_use_id").Text());
            var missing = previous.Except(answered, StringComparer.Ordinal).ToList();
            if (missing.Count > 0)
            {
                throw new InvalidRequestException(
                    $"messages.{first}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                        + $"{string.Join(", ", missing)}. Each `tool_use` block must have a corresponding "
                        + "`tool_result` block in the next message."
                );
            }
        }
    }

    private static void CheckResults(List<JsonCheck> blocks, List<string> calls)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var block in blocks.Where(IsResult))
        {
            var id = block.Required("tool_use_id").Text();
            if (!calls.Contains(id, StringComparer.Ordinal))
            {
                throw block.Wrong(
                    $"unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must "
                        + "have a corresponding `tool_use` block in the previous message."
                );
            }

            if (!seen.Add(id))
            {
                throw block.Wrong(
                    "each tool_use must have a single result. Found multiple `tool_result` blocks with id: " + id
                );
            }
        }
    }

    private static List<string> IdsOf(List<JsonCheck> blocks, string kind, string field) =>
        [.. blocks.Where(block => IsKind(block, kind)).Select(block => block.Required(field).Text())];

    private static bool IsResult(JsonCheck block) => IsKind(block, "tool_result");

    private static bool IsKind(JsonCheck block, string kind) =>
        block.Json.TryGetProperty("type", out var type) && type.ValueEquals(kind);

    private static IEnumerable<JsonCheck> BlocksOf(JsonCheck message) =>
        message.Required("content") is { IsArray: true } content
            ? content.Items()
            : [new JsonCheck($"{message.Path}.content", JsonElement.Parse("""{"type":"text"}"""))];

    [GeneratedRegex("^[a-zA-Z0-9_-]+$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex IdPattern();

    private sealed record Turn(string Role, int First, List<JsonCheck> Blocks);
}
