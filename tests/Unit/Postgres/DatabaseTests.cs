using Verbatim.Platform.Postgres;

namespace Verbatim.Tests.Unit.Postgres;

public sealed class DatabaseTests
{
    [Theory]
    [InlineData("Host=127.0.0.1;Port=1")]
    [InlineData("Host=127.0.0.1:1,127.0.0.1:2")]
    [InlineData("Host=127.0.0.1:1,127.0.0.1:2;Pooling=false")]
    public async Task Idle_connections_are_forgotten_at_one_server_and_at_several(string connectionString)
    {
        await using var database = new Database(connectionString);
        Assert.Null(Record.Exception(database.ForgetIdle));
    }
}
