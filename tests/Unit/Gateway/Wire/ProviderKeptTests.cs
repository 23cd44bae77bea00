using System.Text;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Wire;

public sealed class ProviderKeptTests
{
    [Theory]
    [InlineData("""{"input":"x","conversation":"conv_1"}""", "conversation")]
    [InlineData("""{"input":"x","conversat\u0069on":{"id":"conv_1"}}""", "conversation")]
    [InlineData("""{"prompt":{"id":"pmpt_1"}}""", "prompt")]
    [InlineData("""{"container":"cntr_1"}""", "container")]
    [InlineData(
        """{"tools":[{"type":"function","parameters":{}},{"type":"file_search","vector_store_ids":["vs_1"]}]}""",
        "tools.vector_store_ids"
    )]
    [InlineData("""{"tools":[1,{"type":"code_interpreter","container":"cntr_1"}]}""", "tools.container")]
    [InlineData("""{"input":[{"role":"user","content":"x"},{"type":"item_reference","id":"msg_1"}]}""", "input")]
    [InlineData("""{"input":[{"id":"msg_1"}]}""", "input")]
    [InlineData("""{"input":[{"id":"msg_1","type":null}]}""", "input")]
    [InlineData("""{"input":"x","conversation":null,"prompt":null}""", null)]
    [InlineData("""{"tools":[{"type":"code_interpreter","container":{"type":"auto"}}]}""", null)]
    [InlineData("""{"tools":[{"type":"function","parameters":{"properties":{"container":"x"}}}]}""", null)]
    [InlineData("""{"input":[{"type":"message","id":"msg_1","content":"x"}],"metadata":{"conversation":"x"}}""", null)]
    [InlineData("""{"input":{"conversation":1},"tools":"x"}""", null)]
    [InlineData("[]", null)]
    public void A_response_is_searched_for_what_the_provider_keeps(string body, string? parameter) =>
        Assert.Equal(parameter, ProviderKept.FirstIn(Operation.Responses, Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void Other_wires_have_less_of_it()
    {
        Assert.Equal("container", ProviderKept.FirstIn(Operation.Messages, """{"container":"container_1"}"""u8));
        Assert.Null(ProviderKept.FirstIn(Operation.Messages, """{"prompt":"x","tools":[{"container":"x"}]}"""u8));
        Assert.Null(ProviderKept.FirstIn(Operation.ChatCompletions, """{"conversation":"conv_1"}"""u8));
    }
}
