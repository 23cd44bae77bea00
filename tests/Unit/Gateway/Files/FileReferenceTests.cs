using System.Text;
using Verbatim.Modules.Gateway.Files;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Files;

public sealed class FileReferenceTests
{
    [Theory]
    [InlineData("""{"messages":[{"content":[{"file":{"file_id":"a"}}]}]}""", "messages[0].content[0].file.file_id")]
    [InlineData("""{"file_id":"a"}""", "file_id")]
    [InlineData("""{"tools":[{"container":{"file_ids":["a",1,{}]}}]}""", "tools[0].container.file_ids")]
    [InlineData("""{"\u0066ile_id":"a"}""", "file_id")]
    [InlineData("""{"fil\u0065_\u0069d":"a"}""", "file_id")]
    [InlineData("""{"file\u005Fids":["a"]}""", "file_ids")]
    [InlineData("""{"file_id":"\u0061"}""", "file_id")]
    [InlineData("""{"input":[{"content":[{"file_id":"a"}]}]}""", "input[0].content[0].file_id")]
    [InlineData("""{"prompt":{"variables":{"x":{"type":"input_file","file_id":"a"}}}}""", "prompt.variables.x.file_id")]
    public void A_file_is_found_wherever_a_provider_takes_one(string body, string parameter)
    {
        var found = Assert.Single(FileReferences.Find(Operation.Responses, Encoding.UTF8.GetBytes(body)));

        Assert.Equal(new FileReference("a", parameter), found);
    }

    [Theory]
    [InlineData("""{"messages":[{"content":"file_id"}]}""")]
    [InlineData("""{"metadata":{"file_id":"a"}}""")]
    [InlineData("""{"tools":[{"parameters":{"properties":{"file_id":{"const":"a"}},"file_id":"a"}}]}""")]
    [InlineData("""{"tools":[{"input_schema":{"default":{"file_id":"a"}}}]}""")]
    [InlineData("""{"text":{"format":{"schema":{"file_id":"a"}}}}""")]
    [InlineData("""{"messages":[{"content":[{"type":"tool_use","input":{"file_id":"a"}}]}]}""")]
    [InlineData("""{"messages":[{"tool_calls":[{"function":{"arguments":"{\"file_id\":\"a\"}"}}]}]}""")]
    [InlineData("""{"file_id":null,"file_ids":7}""")]
    [InlineData("""{"\ud800":"\u0061"}""")]
    public void What_is_the_callers_own_data_names_no_file(string body) =>
        Assert.Empty(FileReferences.Find(Operation.Messages, Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void All_of_two_are_found_and_no_more_than_can_be_looked_up()
    {
        Assert.Equal(
            ["a", "b"],
            FileReferences.Find(Operation.ChatCompletions, """{"file_id":"a","file_id":"b"}"""u8).Select(r => r.Id)
        );
        var many = string.Join(',', Enumerable.Range(0, 5000).Select(i => $$"""{"file_id":"{{i}}"}"""));
        Assert.Equal(
            FileReferences.MaxCount + 1,
            FileReferences.Find(Operation.ChatCompletions, Encoding.UTF8.GetBytes($"[{many}]")).Count
        );
    }
}
