using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Verbatim.Tests.Integration.Postgres;

/// <summary>What the tests of the private server ask and do.</summary>
internal static class Servers
{
    public static async Task<T> QueryAsync<T>(string connectionString, string sql, CancellationToken cancellationToken)
    {
        // Unpooled: a pool would hand out connections of a server that has been restarted since.
        await using var connection = new NpgsqlConnection($"{connectionString};Pooling=false");
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public static async Task ExecuteAsync(string connectionString, string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection($"{connectionString};Pooling=false");
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static void Kill(int processId)
    {
        using var process = Process.GetProcessById(processId);
        process.Kill();
    }

    /// <summary>Whether a process runs; one that has ended and waits for its parent to take notice (Z) does not.</summary>
    public static bool IsRunning(int processId)
    {
        try
        {
            return FieldOf(processId, 0) is not "Z";
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Waits until a process is gone.</summary>
    public static async Task EndOfAsync(int processId, CancellationToken cancellationToken)
    {
        while (IsRunning(processId))
            await Task.Delay(5, cancellationToken);
    }

    // proc(5), /proc/pid/stat: the fields behind the name in parentheses are state, ppid, pgrp, session.
    public static int ParentOf(int processId) => StatOf(processId, 1);

    public static IEnumerable<int> ChildrenOf(int processId) =>
        File.ReadAllText($"/proc/{processId}/task/{processId}/children")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(child => int.Parse(child, CultureInfo.InvariantCulture));

    public static int SessionOf(int processId) => StatOf(processId, 3);

    private static int StatOf(int processId, int field) =>
        int.Parse(FieldOf(processId, field), CultureInfo.InvariantCulture);

    private static string FieldOf(int processId, int field)
    {
        var stat = File.ReadAllText($"/proc/{processId}/stat");
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[field];
    }
}
