using Npgsql;
using Verbatim.Platform.Postgres;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Postgres;

/// <summary>What is put together by hand is what Postgres and Npgsql read.</summary>
public sealed class BinaryCopyTests(SharedPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Decimals =>
        [
            "0",
            "0.00",
            "1",
            "-1",
            "9999",
            "10000",
            "123456789.987654321",
            "-0.0001",
            "0.00000003",
            "0.0000000000000000000000000001",
            "12340000",
            "1.50",
            "79228162514264337593543950335",
            "-79228162514264337593543950335",
            "7.9228162514264337593543950335",
        ];

    [Theory]
    [MemberData(nameof(Decimals))]
    public async Task A_number_is_the_same_with_all_its_places(string text)
    {
        var number = decimal.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
        await using var source = await OpenAsync("create table copied (value numeric, written text)");

        var copy = new BinaryCopy();
        copy.Begin();
        copy.AddRow(2);
        copy.Add((decimal?)number);
        copy.Add(text);
        await SendAsync(source, copy);

        await using var command = source.CreateCommand("select value, value::text = written, value::text from copied");
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        Assert.True(await reader.ReadAsync(Cancel));
        Assert.Equal(number, reader.GetDecimal(0));
        Assert.True(reader.GetBoolean(1), reader.GetString(2));
    }

    [Fact]
    public async Task Each_type_is_read_as_it_was_given()
    {
        await using var source = await OpenAsync(
            "create table copied (a uuid, b bigint, c int, d smallint, e boolean, f double precision, g text, h bytea, i bit(16), j timestamptz)"
        );
        var id = Guid.NewGuid();
        var time = new DateTime(2031, 2, 3, 4, 5, 6, 789, DateTimeKind.Utc);
        var text = new string('ß', 100_000) + "日本 🎉";

        var copy = new BinaryCopy();
        // What was put together before is forgotten.
        copy.Begin();
        copy.AddRow(1);
        copy.Add("something else");
        copy.Begin();
        for (var row = 0; row < 3; row++)
        {
            copy.AddRow(10);
            copy.Add(id);
            copy.Add(long.MinValue + row);
            copy.Add((int?)int.MaxValue);
            copy.Add((short)-7);
            copy.Add(true);
            copy.Add((double?)-0.1);
            copy.Add(text);
            copy.Add(Bytes(row).AsMemory());
            copy.AddBits([0b1000_0000, 0b0000_0001]);
            copy.AddTime(time);
        }
        copy.AddRow(10);
        for (var column = 0; column < 10; column++)
            copy.AddNull();
        await SendAsync(source, copy);

        await using var command = source.CreateCommand("select *, i::text from copied order by b nulls last");
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        for (var row = 0; row < 3; row++)
        {
            Assert.True(await reader.ReadAsync(Cancel));
            Assert.Equal(id, reader.GetGuid(0));
            Assert.Equal(long.MinValue + row, reader.GetInt64(1));
            Assert.Equal(int.MaxValue, reader.GetInt32(2));
            Assert.Equal(-7, reader.GetInt16(3));
            Assert.True(reader.GetBoolean(4));
            Assert.Equal(-0.1, reader.GetDouble(5));
            Assert.Equal(text, reader.GetString(6));
            Assert.Equal(Bytes(row), (byte[])reader[7]);
            Assert.Equal(time, reader.GetDateTime(9));
            Assert.Equal("1000000000000001", reader.GetString(10));
        }
        Assert.True(await reader.ReadAsync(Cancel));
        Assert.All(Enumerable.Range(0, 10), column => Assert.True(reader.IsDBNull(column)));
        Assert.False(await reader.ReadAsync(Cancel));
    }

    // Small, and too large to be copied.
    private static byte[] Bytes(int row) => [0, .. new byte[row * 400_000], 255];

    private static async Task SendAsync(NpgsqlDataSource source, BinaryCopy copy)
    {
        await using var connection = await source.OpenConnectionAsync(Cancel);
        await using var stream = await connection.BeginRawBinaryCopyAsync("copy copied from stdin binary", Cancel);
        await copy.WriteToAsync(stream, Cancel);
    }

    private async Task<NpgsqlDataSource> OpenAsync(string table)
    {
        var source = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Cancel));
        await using var create = source.CreateCommand(table);
        await create.ExecuteNonQueryAsync(Cancel);
        return source;
    }
}
