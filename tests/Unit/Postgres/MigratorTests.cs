using Verbatim.Platform.Postgres;

namespace Verbatim.Tests.Unit.Postgres;

public sealed class MigratorTests
{
    [Theory]
    [InlineData("14.9", false)]
    [InlineData("15.0", true)]
    [InlineData("18.3", true)]
    public void Postgres_15_is_the_oldest_that_will_do(string version, bool isSupported) =>
        Assert.Equal(isSupported, Migrator.IsSupported(Version.Parse(version)));
}
