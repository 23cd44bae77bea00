using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

/// <summary>A rich request, answer and stream of each wire.</summary>
internal static class Transcripts
{
    public static string RequestOf(Operation wire) =>
        wire switch
        {
            Operation.ChatCompletions => """
                {"model":"a","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"t"},
                   {"type":"image_url","image_url":{"url":"data:image/png;base64,AA==","detail":"auto"}},{"type":"file","file":{"filename":"a","file_data":"data:application/pdf;base64,AA=="}}]},
                   {"role":"assistant","content":"c","reasoning_details":[{"type":"reasoning.text","text":"x","signature":"y","index":0}],
                     "tool_calls":[{"id":"i","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"i","content":"r"}],
                 "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}}],
                 "tool_choice":{"type":"function","function":{"name":"f"}},"stream":true,"stream_options":{"include_usage":true},"stop":["a"],"max_tokens":5,
                 "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}},"reasoning_effort":"low","temperature":1,"user":"u","n":1}
                """,
            Operation.Messages => """
                {"model":"a","max_tokens":5,"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"text","text":"t"},
                   {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"}}]},
                   {"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"vb1.item|i|d"},{"type":"tool_use","id":"i","name":"f","input":{"a":1}}]},
                   {"role":"user","content":[{"type":"tool_result","tool_use_id":"i","content":[{"type":"text","text":"r"}],"is_error":true}]}],
                 "tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true},
                 "thinking":{"type":"enabled","budget_tokens":1024},"output_config":{"effort":"low","format":{"type":"json_schema","schema":{}}},"stop_sequences":["a"],"metadata":{"user_id":"u"}}
                """,
            _ => """
                {"model":"a","instructions":"s","input":[{"role":"user","content":[{"type":"input_text","text":"t"},{"type":"input_image","image_url":"https://a.example","detail":"low"},
                     {"type":"input_file","filename":"f","file_data":"data:application/pdf;base64,AA=="}]},
                   {"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"x"}],"encrypted_content":"e"},
                   {"type":"function_call","call_id":"i","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"i","output":[{"type":"input_text","text":"r"}]}],
                 "tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":true}],"tool_choice":"required","text":{"format":{"type":"json_object"}},
                 "reasoning":{"effort":"low","summary":"auto"},"include":["reasoning.encrypted_content"],"metadata":{"a":"b"},"max_output_tokens":20,"top_logprobs":0}
                """,
        };

    public static string AnswerOf(Operation wire) =>
        wire switch
        {
            Operation.ChatCompletions => """
                {"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a","reasoning_content":"b","refusal":null,
                   "tool_calls":[{"id":"i","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}],"annotations":[{"type":"url_citation","url_citation":{"url":"u","title":"t","start_index":0,"end_index":1}}]},
                   "logprobs":{"content":[{"token":"a"}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":1}}}
                """,
            Operation.Messages => """
                {"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"a","signature":"b"},{"type":"redacted_thinking","data":"x"},
                   {"type":"text","text":"c","citations":[{"type":"web_search_result_location","url":"u","title":"t"}]},{"type":"tool_use","id":"i","name":"f","input":{"a":1}}],
                 "stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":2,"cache_read_input_tokens":3,"output_tokens_details":{"thinking_tokens":1}}}
                """,
            _ => """
                {"id":"r","object":"response","status":"completed","model":"m","output":[{"id":"s","type":"reasoning","summary":[{"type":"summary_text","text":"a"}],"encrypted_content":"e"},
                   {"id":"t","type":"message","role":"assistant","content":[{"type":"output_text","text":"b","annotations":[{"type":"url_citation","url":"u","title":"t"}],"logprobs":[{"token":"b"}]},{"type":"refusal","refusal":"no"}]},
                   {"id":"u","type":"function_call","call_id":"i","name":"f","arguments":"{}"}],"incomplete_details":null,"error":null,
                 "usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3,"input_tokens_details":{"cached_tokens":1},"output_tokens_details":{"reasoning_tokens":1}}}
                """,
        };

    public static string StreamOf(Operation wire) =>
        wire switch
        {
            Operation.ChatCompletions => ChatToMessagesAnswerTests.Stream,
            Operation.Messages => MessagesToChatAnswerTests.Stream,
            _ => ResponsesAnswerTests.Stream,
        };
}
