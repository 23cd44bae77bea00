using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

/// <summary>What each wire's clients rely on in any stream.</summary>
internal static class EventRules
{
    public static void Check(Operation wire, string events)
    {
        if (wire == Operation.ChatCompletions)
            CheckChat(events);
        else if (wire == Operation.Messages)
            CheckMessages(events);
        else
            CheckResponses(events);
    }

    private static void CheckChat(string events)
    {
        if (events.Contains("[DONE]", StringComparison.Ordinal))
            Assert.EndsWith("data: [DONE]\n\n", events, StringComparison.Ordinal);
        var isFirst = true;
        var isFinished = false;
        var calls = new HashSet<int>();
        foreach (var chunk in Translated.DataOf(events).Where(c => c["error"] is null))
        {
            Assert.Equal("chatcmpl-" + Translated.Id.ToString("N"), (string?)chunk["id"]);
            if (chunk["choices"]!.AsArray().Count == 0)
            {
                Assert.NotNull(chunk["usage"]);
                continue;
            }
            Assert.False(isFinished);
            var delta = chunk["choices"]![0]!["delta"]!.AsObject();
            Assert.Equal(isFirst, delta.ContainsKey("role"));
            isFirst = false;
            isFinished = chunk["choices"]![0]!["finish_reason"] is not null;
            foreach (var call in delta["tool_calls"]?.AsArray() ?? [])
            {
                // The id and the name come once, before the arguments.
                var isNew = calls.Add((int)call!["index"]!);
                Assert.Equal(isNew, call["id"] is not null);
                Assert.NotNull(call["function"]!["arguments"]);
            }
        }
    }

    private static void CheckMessages(string events)
    {
        var data = Translated.DataOf(events);
        int? open = null;
        var next = 0;
        for (var i = 0; i < data.Length; i++)
        {
            var type = (string)data[i]["type"]!;
            if (type == "error")
            {
                Assert.Equal(data.Length - 1, i);
                continue;
            }
            Assert.Equal(i == 0, type == "message_start");
            switch (type)
            {
                case "content_block_start":
                    Assert.Null(open);
                    Assert.Equal(next++, (int)data[i]["index"]!);
                    open = next - 1;
                    break;
                case "content_block_delta":
                    Assert.Equal(open, (int)data[i]["index"]!);
                    break;
                case "content_block_stop":
                    Assert.Equal(open, (int)data[i]["index"]!);
                    open = null;
                    break;
                case "message_delta":
                    Assert.Null(open);
                    Assert.NotNull(data[i]["usage"]!["output_tokens"]);
                    Assert.Equal(data.Length - 2, i);
                    break;
                default:
                    break;
            }
        }
    }

    private static void CheckResponses(string events)
    {
        var data = Translated.DataOf(events);
        var items = new Dictionary<int, string>();
        var done = new HashSet<int>();
        for (var i = 0; i < data.Length; i++)
        {
            Assert.Equal(i, (int)data[i]["sequence_number"]!);
            if (data[i]["output_index"] is not JsonNode index)
                continue;
            var at = (int)index;
            if (data[i]["item"]?["id"] is JsonNode id && items.TryAdd(at, (string)id!))
                Assert.Equal("response.output_item.added", (string?)data[i]["type"]);
            Assert.Equal(items[at], (string?)(data[i]["item_id"] ?? data[i]["item"]!["id"]));
            Assert.DoesNotContain(at, done);
            if ((string?)data[i]["type"] == "response.output_item.done")
                done.Add(at);
        }
        if (
            data.Length > 0
            && data[^1]["response"] is { } last
            && (string?)last["status"] is "completed" or "incomplete"
        )
            Assert.Equal(items.Count, done.Count);
    }
}
