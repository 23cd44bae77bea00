namespace Verbatim.Tests.Benchmarks;

/// <summary>A folder that is gone when the benchmark is.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder()
    {
        Path = Directory.CreateTempSubdirectory("verbatim-bench-").FullName;
        // The private Postgres runs as another user when this is root.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path, (UnixFileMode)0b111_101_101);
    }

    public string Path { get; }

    /// <summary>A home for Verbatim in it.</summary>
    public string Home => System.IO.Path.Combine(Path, "home");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
