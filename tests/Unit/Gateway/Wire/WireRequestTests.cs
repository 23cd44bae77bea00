using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Wire;

public sealed class WireRequestTests
{
    [Fact]
    public void Only_what_the_gateway_needs_is_read()
    {
        var request = Read(
            """{"messages":[{"role":"user","content":"Hi","model":"not this"}],"model":"gpt-4o","stream":true,"seed":1}"""
        );

        Assert.Equal("gpt-4o", request.Model);
        Assert.True(request.Stream);
        Assert.False(request.IncludesUsage);
    }

    [Theory]
    [InlineData("""{"model":"m"}""", false)]
    [InlineData("""{"model":"m","stream":false}""", false)]
    [InlineData("""{"model":"m","stream":null}""", false)]
    [InlineData("""{"model":"m","stream":true}""", true)]
    [InlineData("""{"model":"m","x":{"stream":true}}""", false)]
    [InlineData("""{"model":"m","str\u0065am":true}""", true)]
    public void An_answer_is_streamed_only_on_request(string body, bool streams) =>
        Assert.Equal(streams, Read(body).Stream);

    [Theory]
    [InlineData("""{"model":"m"}""", false)]
    [InlineData("""{"model":"m","stream_options":null}""", false)]
    [InlineData("""{"model":"m","stream_options":{}}""", false)]
    [InlineData("""{"model":"m","stream_options":{"include_usage":false}}""", false)]
    [InlineData("""{"model":"m","stream_options":{"include_usage":null}}""", false)]
    [InlineData("""{"model":"m","stream_options":{"include_obfuscation":false,"include_usage":true}}""", true)]
    [InlineData("""{"model":"m","stream_options":{"x":{"include_usage":true}}}""", false)]
    [InlineData("""{"model":"m","include_usage":true}""", false)]
    public void Usage_is_included_only_where_the_caller_asked(string body, bool asked) =>
        Assert.Equal(asked, Read(body).IncludesUsage);

    [Theory]
    [InlineData("""{"model":"gpt\u002d4\/o"}""", "gpt-4/o")]
    [InlineData("""{"mod\u0065l":"m"}""", "m")]
    [InlineData("""{"model":"\ud83d\ude00"}""", "😀")]
    public void The_model_is_matched_after_unescaping(string body, string model) =>
        Assert.Equal(model, Read(body).Model);

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("[{\"model\":\"m\"}]")]
    [InlineData("\"model\"")]
    [InlineData("null")]
    [InlineData("{\"model\":\"m\"")]
    [InlineData("{\"model\":\"m\"} x")]
    [InlineData("{\"model\":\"m\"}{}")]
    [InlineData("{\"model\":\"m\",}")]
    [InlineData("{\"model\":\"m\",\"a\":01}")]
    [InlineData("{'model':'m'}")]
    [InlineData("{\"model\":\"m\" /* or another */}")]
    [InlineData("\uFEFF{\"model\":\"m\"}")]
    [InlineData("{\"model\":\"a\nb\"}")]
    // What else is wrong with it does not matter then.
    [InlineData("{\"model\":1,\"stream\":2,")]
    public void What_is_not_a_JSON_object_is_refused_as_that(string body)
    {
        var error = Refuse(Encoding.UTF8.GetBytes(body));

        Assert.Equal(400, error.Status);
        Assert.StartsWith("We could not parse the JSON body of your request", error.Message, StringComparison.Ordinal);
        Assert.Equal("invalid_request_error", error.Type);
        Assert.Null(error.Param);
        Assert.Null(error.Code);
    }

    [Fact]
    public void The_message_says_where_it_stops_being_JSON_and_repeats_nothing_of_the_body()
    {
        var error = Refuse("{\"model\":\"m\",\n  \"secret\" \"x\"}"u8.ToArray());

        Assert.Contains("line 2, byte 12", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_in_a_string_that_are_not_UTF8_are_refused()
    {
        // System.Text.Json itself reads past them.
        byte[] body = [.. "{\"model\":\"m\",\"messages\":\""u8, 0xC3, 0x28, .. "\"}"u8];

        Assert.Contains("UTF-8", Refuse(body).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"messages":[]}""")]
    [InlineData("""{"model":null}""")]
    [InlineData("""{"model":""}""")]
    public void A_request_without_a_model_gets_the_words_that_OpenAI_has_for_it(string body)
    {
        var error = Refuse(Encoding.UTF8.GetBytes(body));

        Assert.Equal(new WireError(400, "you must provide a model parameter", null, null), error);
    }

    [Theory]
    [InlineData("""{"model":1}""", "model", "expected a string, but got a number")]
    [InlineData("""{"model":["m"]}""", "model", "expected a string, but got an array")]
    [InlineData("""{"model":{"model":"m"}}""", "model", "expected a string, but got an object")]
    [InlineData("""{"model":"m","stream":"true"}""", "stream", "expected a boolean, but got a string")]
    [InlineData("""{"model":"m","stream":1}""", "stream", "expected a boolean, but got a number")]
    [InlineData("""{"model":"m","stream_options":true}""", "stream_options", "expected an object, but got a boolean")]
    [InlineData("""{"model":"m","stream_options":[]}""", "stream_options", "expected an object, but got an array")]
    [InlineData(
        """{"model":"m","stream_options":{"include_usage":"yes"}}""",
        "stream_options.include_usage",
        "expected a boolean, but got a string"
    )]
    [InlineData(
        """{"model":"m","stream_options":{"include_usage":{"a":1}}}""",
        "stream_options.include_usage",
        "expected a boolean, but got an object"
    )]
    public void A_wrong_type_is_refused_with_the_parameter_at_fault(string body, string param, string reason)
    {
        var error = Refuse(Encoding.UTF8.GetBytes(body));

        Assert.Equal(400, error.Status);
        Assert.Equal(param, error.Param);
        Assert.Equal("invalid_type", error.Code);
        Assert.Equal($"Invalid type for '{param}': {reason} instead.", error.Message);
    }

    [Theory]
    [InlineData("""{"model":"a","model":"b"}""", "model")]
    [InlineData("""{"model":"a","mod\u0065l":"a"}""", "model")]
    [InlineData("""{"model":"a","stream":true,"stream":true}""", "stream")]
    [InlineData("""{"model":"a","stream_options":null,"stream_options":{}}""", "stream_options")]
    [InlineData(
        """{"model":"a","stream_options":{"include_usage":false,"include_usage":true}}""",
        "stream_options.include_usage"
    )]
    public void A_field_that_decides_something_may_stand_there_only_once(string body, string param)
    {
        var error = Refuse(Encoding.UTF8.GetBytes(body));

        Assert.Equal(param, error.Param);
        Assert.Contains("more than once", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_fields_may_be_repeated()
    {
        var request = Read("""{"model":"m","a":1,"a":2,"b":{"model":1,"model":2}}""");

        Assert.Equal("""{"model":"n","a":1,"a":2,"b":{"model":1,"model":2}}""", Rewritten(request, "n", false));
    }

    [Theory]
    [InlineData(200, true)]
    [InlineData(201, false)]
    [InlineData(100_000, false)]
    public void A_model_name_has_up_to_200_characters(int length, bool isAccepted)
    {
        foreach (var character in (string[])["a", "é", "\\u0061", "語"])
        {
            var body = Encoding.UTF8.GetBytes(
                "{\"model\":\"" + string.Concat(Enumerable.Repeat(character, length)) + "\"}"
            );
            Assert.Equal(isAccepted, WireRequest.TryRead(body, out _, out var error));
            if (!isAccepted)
                Assert.Equal(("model", "string_above_max_length"), (error!.Param, error.Code));
        }
    }

    [Fact]
    public void Half_a_surrogate_pair_is_no_model_name()
    {
        var error = Refuse("""{"model":"\ud83d"}"""u8.ToArray());

        Assert.Equal(("model", "invalid_value"), (error.Param, error.Code));
        // In a name that is none of ours it stays as it is.
        Assert.Equal("m", Read("""{"\ud83d":1,"model":"m","m\udc00del":2}""").Model);
    }

    [Theory]
    [InlineData(63, true)]
    [InlineData(64, false)]
    public void Sixty_four_levels_are_the_most(int arrays, bool isAccepted)
    {
        var body = Encoding.UTF8.GetBytes(
            "{\"model\":\"m\",\"a\":" + new string('[', arrays) + new string(']', arrays) + "}"
        );

        Assert.Equal(isAccepted, WireRequest.TryRead(body, out _, out _));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("m", false)]
    [InlineData(null, true)]
    public void Nothing_is_rewritten_that_needs_no_change(string? upstreamModel, bool askForUsage)
    {
        // No stream: there is nothing to ask usage of.
        var request = Read("""{ "model" : "\u006d" }""");

        Assert.False(Rewrites(request, upstreamModel, askForUsage));
        Assert.Equal("""{ "model" : "\u006d" }""", Rewritten(request, upstreamModel, askForUsage));
        Assert.False(
            Rewrites(
                Read("""{"model":"m","stream":true,"stream_options":{"include_usage":true}}"""),
                upstreamModel,
                askForUsage
            )
        );
    }

    [Theory]
    [InlineData(
        """{"model":"m","stream":true}""",
        """{"stream_options":{"include_usage":true},"model":"m","stream":true}"""
    )]
    [InlineData(
        """ { "model":"m","stream":true}""",
        """ {"stream_options":{"include_usage":true}, "model":"m","stream":true}"""
    )]
    [InlineData(
        """{"model":"m","stream":true,"stream_options":null}""",
        """{"model":"m","stream":true,"stream_options":{"include_usage":true}}"""
    )]
    [InlineData(
        """{"stream_options":{ },"model":"m","stream":true}""",
        """{"stream_options":{"include_usage":true },"model":"m","stream":true}"""
    )]
    [InlineData(
        """{"stream_options":{"include_obfuscation":false},"model":"m","stream":true}""",
        """{"stream_options":{"include_usage":true,"include_obfuscation":false},"model":"m","stream":true}"""
    )]
    [InlineData(
        """{"model":"m","stream_options":{"a":1 , "include_usage" : false },"stream":true}""",
        """{"model":"m","stream_options":{"a":1 , "include_usage" : true },"stream":true}"""
    )]
    [InlineData(
        """{"model":"m","stream_options":{"include_usage":null},"stream":true}""",
        """{"model":"m","stream_options":{"include_usage":true},"stream":true}"""
    )]
    public void A_stream_is_made_to_ask_for_its_usage(string body, string expected)
    {
        var request = Read(body);

        Assert.True(Rewrites(request, null, askForUsage: true));
        Assert.Equal(expected, Rewritten(request, null, askForUsage: true));
        Assert.False(Rewrites(request, null, askForUsage: false));
        Assert.True(Read(expected).IncludesUsage);
    }

    [Theory]
    [InlineData("gpt-4o")]
    [InlineData("models/a:b@c d")]
    [InlineData("with \"quotes\" \\ and \n")]
    [InlineData("語 é 😀 \u0001")]
    public void Any_name_can_be_put_in_the_place_of_the_model(string model)
    {
        var request = Read("""{"a":"model", "model" : "m" ,"stream":true,"z":1.10}""");

        var rewritten = Rewritten(request, model, askForUsage: false);

        Assert.StartsWith("""{"a":"model", "model" : """, rewritten, StringComparison.Ordinal);
        Assert.EndsWith(""" ,"stream":true,"z":1.10}""", rewritten, StringComparison.Ordinal);
        Assert.Equal(model, JsonNode.Parse(rewritten)!["model"]!.GetValue<string>());
    }

    [Fact]
    public void A_rewrite_changes_only_the_model_and_the_usage()
    {
        // What stands there, and what stands there once usage is asked for.
        (string Given, string Asking)[] options =
        [
            ("", ""),
            ("\"stream_options\":null", "\"stream_options\":{\"include_usage\":true}"),
            ("\"stream_options\": { }", "\"stream_options\": {\"include_usage\":true }"),
            ("\"stream_options\" :{ \"x\":[1] }", "\"stream_options\" :{\"include_usage\":true, \"x\":[1] }"),
            ("\"stream_options\":{\"include_usage\":false}", "\"stream_options\":{\"include_usage\":true}"),
            (
                "\"stream\\u005foptions\":{\"x\":1,\"include\\u005fusage\" :null }",
                "\"stream\\u005foptions\":{\"x\":1,\"include\\u005fusage\" :true }"
            ),
            (
                "\"stream_options\":{\"x\":1,\"include_usage\" :true }",
                "\"stream_options\":{\"x\":1,\"include_usage\" :true }"
            ),
        ];
        var requests =
            from others in Generators
                .Member(Generators.JsonString.Select(s => "\"x" + s[1..]), Generators.JsonValue(2))
                .ListOf()
            from spaced in Generators.Member(Gen.Constant("\"model\""), Gen.Constant("\"MODEL\""))
            from model in Gen.Elements(("m", "\"m\""), ("m", "\"\\u006d\""), ("a\"b", "\"a\\\"b\""), ("語", "\"語\""))
            from upstream in Gen.Elements((null, ""), ("m", "\"m\""), ("other", "\"other\""), ("\"\\", "\"\\\"\\\\\""))
            from stream in Gen.Elements("", "\"stream\":true", "\"stream\" : false", "\"stream\":null")
            from option in Gen.Elements(options)
            from ask in Gen.Elements(true, false)
            from order in Gen.Shuffle(others.Append("\"model\"").Append("\"stream\"").Append("\"stream_options\""))
            select (order, spaced, model, upstream, stream, option, ask);

        Check.One(
            Generators.Tests(2000),
            Prop.ForAll(
                requests.ToArbitrary(),
                given =>
                {
                    var streams = given.stream == "\"stream\":true";
                    var asks = given.ask && streams;
                    var body = Body(given.model.Item2, given.option.Given, prefix: "");
                    var expected = Body(
                        given.upstream.Item1 is { } other && other != given.model.Item1
                            ? given.upstream.Item2
                            : given.model.Item2,
                        asks ? given.option.Asking : given.option.Given,
                        asks && given.option.Given == "" ? "\"stream_options\":{\"include_usage\":true}," : ""
                    );

                    var request = Read(body);
                    Assert.Equal(given.model.Item1, request.Model);
                    Assert.Equal(streams, request.Stream);
                    Assert.Equal(body != expected, Rewrites(request, given.upstream.Item1, given.ask));
                    Assert.Equal(expected, Rewritten(request, given.upstream.Item1, given.ask));

                    string Body(string model, string options, string prefix) =>
                        "{"
                        + prefix
                        + string.Join(
                            ',',
                            given
                                .order.Select(member =>
                                    member switch
                                    {
                                        "\"model\"" => given.spaced.Replace(
                                            "\"MODEL\"",
                                            model,
                                            StringComparison.Ordinal
                                        ),
                                        "\"stream\"" => given.stream,
                                        "\"stream_options\"" => options,
                                        _ => member,
                                    }
                                )
                                .Where(member => member.Length > 0)
                        )
                        + "}";
                }
            )
        );
    }

    [Fact]
    public void Exactly_the_JSON_objects_that_the_platform_reads_are_read()
    {
        var near = Gen.OneOf(
            Generators.JsonValue(3),
            Generators.Member(Gen.Constant("\"model\""), Generators.JsonValue(1)).Select(m => "{" + m + "}")
        );
        var damaged =
            from json in near
            from at in Gen.Choose(0, Math.Max(0, json.Length - 1))
            from replacement in Gen.Elements(
                "",
                "{",
                "}",
                "[",
                "]",
                "\"",
                ",",
                ":",
                "\\",
                "0",
                "t",
                "\u0000",
                "é",
                " x"
            )
            select json.Length == 0 ? replacement : json.Remove(at, 1).Insert(at, replacement);
        var bodies = Gen.OneOf(
            Gen.OneOf(near, damaged).Select(Generators.Utf8),
            ArbMap.Default.GeneratorFor<byte[]>(),
            from json in near.Select(Generators.Utf8)
            from extra in Gen.Choose(128, 255).Select(b => (byte)b)
            from at in Gen.Choose(0, json.Length)
            select (byte[])[.. json[..at], extra, .. json[at..]]
        );

        Check.One(
            Generators.Tests(5000),
            Prop.ForAll(
                bodies.ToArbitrary(),
                body =>
                {
                    var isRead = WireRequest.TryRead(body, out _, out var error);
                    var isMalformed =
                        !isRead && error!.Message.StartsWith("We could not parse", StringComparison.Ordinal);
                    Assert.Equal(IsJsonObject(body), !isMalformed);
                }
            )
        );

        static bool IsJsonObject(byte[] body)
        {
            try
            {
                using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 64 });
                return document.RootElement.ValueKind == JsonValueKind.Object && System.Text.Unicode.Utf8.IsValid(body);
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }

    private static WireRequest Read(string body)
    {
        Assert.True(WireRequest.TryRead(Encoding.UTF8.GetBytes(body), out var request, out var error), error?.Message);
        Assert.Equal(body, Encoding.UTF8.GetString(request.Body.Span));
        return request;
    }

    private static WireError Refuse(byte[] body)
    {
        Assert.False(WireRequest.TryRead(body, out var request, out var error));
        Assert.Null(request);
        return error;
    }

    private static bool Rewrites(WireRequest request, string? upstreamModel, bool askForUsage) =>
        request.UpstreamPieces(upstreamModel, askForUsage).Length > 1;

    private static string Rewritten(WireRequest request, string? upstreamModel, bool askForUsage)
    {
        var pieces = request.UpstreamPieces(upstreamModel, askForUsage);
        return Encoding.UTF8.GetString([.. pieces.SelectMany(piece => piece.ToArray())]);
    }
}
