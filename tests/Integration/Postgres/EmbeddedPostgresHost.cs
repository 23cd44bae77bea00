using Npgsql;
using Verbatim.Platform.Postgres.Embedded;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Postgres;

/// <summary>
/// Runs a server in the home that is its argument. Prints the server's process id and its connection string once a
/// connection works, or the message of the exception.
/// </summary>
internal sealed class EmbeddedPostgresHost : IChildProgram
{
    public async Task<int> RunAsync(string[] args)
    {
        try
        {
            await using var server = await EmbeddedPostgres.StartAsync(new() { Home = args[0] });
            await using (var connection = new NpgsqlConnection(server.ConnectionString))
                await connection.OpenAsync();
            Console.WriteLine(server.ProcessId);
            Console.WriteLine(server.ConnectionString);
            await Console.In.ReadToEndAsync();
            return 0;
        }
        catch (EmbeddedPostgresException e)
        {
            Console.WriteLine(e.Message);
            return 1;
        }
    }
}
