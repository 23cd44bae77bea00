namespace Verbatim.Tests.Integration.Support;

/// <summary>A Verbatim home for one test.</summary>
internal sealed class TemporaryHome : IDisposable
{
    private const int MaxAttempts = 50;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("verbatim-test-");

    public string Path => _folder.FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    // The Postgres of a host that was killed ends by itself a moment later, and writes until then.
    public void Dispose()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                _folder.Delete(recursive: true);
                return;
            }
            catch (IOException) when (attempt < MaxAttempts)
            {
                Thread.Sleep(RetryDelay);
            }
        }
    }
}
