using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Verbatim.Modules.Gateway.ChatClients;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.ChatClients;

public sealed class ChatRequestBodyTests
{
    private static readonly byte[] Pixel = [1, 2, 3];

    private static readonly string[] Chunks =
    [
        """{"id":"x","created":1700000000,"model":"m1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""",
        """{"choices":[{"delta":{"reasoning_content":"h","reasoning_details":[{"type":"reasoning.text","text":"h","format":"anthropic-claude-v1","index":0}]}}]}""",
        """{"choices":[{"delta":{"reasoning_content":"m","reasoning_details":[{"type":"reasoning.text","text":"m","format":"anthropic-claude-v1","index":0}]}}]}""",
        """{"choices":[{"delta":{"reasoning_details":[{"type":"reasoning.text","signature":"c2ln","format":"anthropic-claude-v1","index":0}]}}]}""",
        """{"choices":[{"delta":{"content":"a"}}]}""",
        """{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"c2","function":{"name":"two","arguments":""}}]}}]}""",
        """{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"one","arguments":"{\"p\""}},{"index":1,"function":{"arguments":"{}"}}]}}]}""",
        """{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}""",
        """{"unknown":true}""",
        "[1]",
        "no json",
        """{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}""",
        """{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":0,"total_tokens":1}}""",
    ];

    [Fact]
    public void All_options_have_their_words()
    {
        var options = new ChatOptions
        {
            ModelId = "m",
            Instructions = "Be brief.",
            Temperature = 0.7f,
            TopP = 0.9f,
            TopK = 40,
            FrequencyPenalty = 0.5f,
            PresencePenalty = -0.5f,
            Seed = 7,
            MaxOutputTokens = 100,
            StopSequences = ["END"],
            Reasoning = new ReasoningOptions { Effort = ReasoningEffort.ExtraHigh },
            ResponseFormat = ChatResponseFormat.ForJsonSchema(
                JsonElement.Parse("""{"type":"object"}"""),
                "city",
                "A city."
            ),
            Tools =
            [
                AIFunctionFactory.CreateDeclaration(
                    "look",
                    "Looks.",
                    JsonElement.Parse("""{"type":"object","properties":{}}""")
                ),
            ],
            ToolMode = ChatToolMode.RequireSpecific("look"),
            AllowMultipleToolCalls = false,
            AdditionalProperties = new AdditionalPropertiesDictionary { ["service_tier"] = "flex" },
        };

        AssertJson(
            """
            {"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}],"stream":true,
            "stream_options":{"include_usage":true},"temperature":0.7,"top_p":0.9,"top_k":40,"frequency_penalty":0.5,"presence_penalty":-0.5,
            "seed":7,"max_completion_tokens":100,"stop":["END"],"reasoning_effort":"xhigh","response_format":{"type":"json_schema",
            "json_schema":{"name":"city","description":"A city.","schema":{"type":"object"}}},"tools":[{"type":"function","function":{
            "name":"look","description":"Looks.","parameters":{"type":"object","properties":{}}}}],"parallel_tool_calls":false,
            "tool_choice":{"type":"function","function":{"name":"look"}},"service_tier":"flex"}
            """,
            Body([new ChatMessage(ChatRole.User, "Hi")], options, stream: true)
        );
    }

    [Fact]
    public void All_contents_have_their_words()
    {
        var message = new ChatMessage(
            ChatRole.User,
            [
                new TextContent("See")
                {
                    AdditionalProperties = new() { ["cache_control"] = new { type = "ephemeral" } },
                },
                new DataContent(Pixel, "image/png") { AdditionalProperties = new() { ["detail"] = "low" } },
                new UriContent("https://example.org/a.jpg", "image/jpeg"),
                new DataContent(Pixel, "audio/mpeg"),
                new DataContent(Pixel, "application/pdf") { Name = "a.pdf" },
                new HostedFileContent("file-1"),
            ]
        );

        AssertJson(
            """
            [{"role":"user","content":[{"type":"text","text":"See","cache_control":{"type":"ephemeral"}},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AQID","detail":"low"}},
            {"type":"image_url","image_url":{"url":"https://example.org/a.jpg"}},
            {"type":"input_audio","input_audio":{"data":"AQID","format":"mp3"}},
            {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AQID"}},
            {"type":"file","file":{"file_id":"file-1"}}]}]
            """,
            Body([message])["messages"]!
        );
    }

    [Fact]
    public void What_the_wire_has_no_word_for_is_refused()
    {
        List<ChatMessage> asked = [new(ChatRole.User, "Hi")];
        Assert.Throws<ArgumentException>(() => Body(asked, new ChatOptions()));
        foreach (
            var options in new ChatOptions[]
            {
                new() { ModelId = "m", ConversationId = "c" },
                new() { ModelId = "m", AllowBackgroundResponses = true },
                new() { ModelId = "m", Tools = [new HostedWebSearchTool()] },
            }
        )
            Assert.Throws<NotSupportedException>(() => Body(asked, options));
        Assert.Throws<ArgumentException>(() =>
            Body(
                asked,
                new ChatOptions
                {
                    ModelId = "m",
                    AdditionalProperties = new() { ["model"] = "n" },
                }
            )
        );
        Assert.Throws<NotSupportedException>(() => Body([new ChatMessage(ChatRole.User, [new UsageContent()])]));
        Assert.Throws<NotSupportedException>(() =>
            Body([new ChatMessage(ChatRole.Assistant, [new DataContent(Pixel, "image/png")])])
        );
    }

    [Fact]
    public void An_answer_goes_back_as_it_came_its_seals_only_to_the_model_that_made_them()
    {
        const string Details =
            """[{"type":"reasoning.text","text":"hm","signature":"c2ln","format":"anthropic-claude-v1","index":0},{"type":"reasoning.encrypted","data":"ZGF0YQ==","format":"anthropic-claude-v1","index":1}]""";
        var answer = Answer(
            $$"""{"role":"assistant","content":"ok","reasoning_content":"hm","reasoning_details":{{Details}},"tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{\"a\":[1,2.50]}"} },{"id":"c2","type":"function","function":{"name":"look","arguments":"no json"} }]}"""
        );
        var calls = answer.Messages[0].Contents.OfType<FunctionCallContent>().ToList();
        Assert.Null(calls[0].Exception);
        Assert.NotNull(calls[1].Exception);

        var back = Body([.. answer.Messages])["messages"]![0]!;
        var elsewhere = Body([.. answer.Messages], new ChatOptions { ModelId = "another" })["messages"]![0]!;

        AssertJson(Details, back["reasoning_details"]!);
        Assert.Equal("""{"a":[1,2.50]}""", back["tool_calls"]![0]!["function"]!["arguments"]!.GetValue<string>());
        Assert.Equal("no json", back["tool_calls"]![1]!["function"]!["arguments"]!.GetValue<string>());
        Assert.Equal("ok", back["content"]!.GetValue<string>());
        AssertJson("[]", elsewhere["reasoning_details"]!);
    }

    [Fact]
    public void The_summary_of_an_item_and_its_encrypted_content_stay_together()
    {
        const string Details =
            """[{"type":"reasoning.summary","summary":"sum","id":"rs_1","format":"openai-responses-v1","index":0},{"type":"reasoning.encrypted","data":"ZGF0YQ==","id":"rs_1","format":"openai-responses-v1","index":0}]""";
        var answer = Answer($$"""{"role":"assistant","content":"ok","reasoning_details":{{Details}}}""");

        var thought = Assert.Single(answer.Messages[0].Contents.OfType<TextReasoningContent>());
        Assert.Equal("sum", thought.Text);
        AssertJson(Details, Body([.. answer.Messages])["messages"]![0]!["reasoning_details"]!);
    }

    [Fact]
    public void Chunks_add_up_to_the_answer()
    {
        var reader = new AnswerChunks("m", Guid.Empty);
        var updates = Chunks
            .Select(chunk => reader.Read(Encoding.UTF8.GetBytes(chunk)))
            .OfType<ChatResponseUpdate>()
            .ToList();
        Assert.Null(reader.End());
        reader.ThrowIfFailed();

        var response = updates.ToChatResponse();
        var message = Assert.Single(response.Messages);
        var thought = Assert.Single(message.Contents.OfType<TextReasoningContent>());
        Assert.Equal("hm", thought.Text);
        Assert.Contains("c2ln", thought.ProtectedData, StringComparison.Ordinal);
        Assert.Equal("a", response.Text);
        Assert.Equal(["one", "two"], message.Contents.OfType<FunctionCallContent>().Select(c => c.Name));
        Assert.Equal((1, 0), (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount));
        Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);
        Assert.Equal(("x", "m1"), (response.ResponseId, response.ModelId));
        AssertJson(
            """[{"type":"reasoning.text","signature":"c2ln","format":"anthropic-claude-v1","index":0,"text":"hm"}]""",
            Body([message])["messages"]![0]!["reasoning_details"]!
        );
    }

    private static ChatResponse Answer(string message) =>
        WholeAnswer.Read(
            Encoding.UTF8.GetBytes(
                $$"""{"id":"x","choices":[{"index":0,"message":{{message}},"finish_reason":"stop"}]}"""
            ),
            "m",
            inferenceId: null
        );

    private static JsonNode Body(List<ChatMessage> messages, ChatOptions? options = null, bool stream = false)
    {
        var body = ChatRequestBody.Write(messages, options ?? new ChatOptions { ModelId = "m" }, stream);
        Assert.True(CallerWire.ChatCompletions.TryRead(body, out var request, out _));
        Assert.Equal(stream, request.Stream);
        return JsonNode.Parse(body.Span)!;
    }

    private static void AssertJson(string expected, JsonNode actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual), actual.ToJsonString());
}
