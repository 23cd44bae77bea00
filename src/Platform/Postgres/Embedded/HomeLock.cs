using System.Globalization;

namespace Verbatim.Platform.Postgres.Embedded;

/// <summary>
/// The right to run the server of one home. FileShare.None is flock(2), so the kernel gives the lock back however
/// the process ends.
/// </summary>
internal sealed class HomeLock : IDisposable
{
    private readonly FileStream _file;

    private HomeLock(FileStream file) => _file = file;

    /// <summary>Takes the lock, or returns null when another process (or this one) has it.</summary>
    public static HomeLock? TryTake(string path)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (IsWouldBlock(e))
        {
            return null;
        }
        // .NET also asks for a lock to read a file, so the number cannot be in the locked one.
        File.WriteAllText(HolderFile(path), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        return new HomeLock(file);
    }

    /// <summary>The process that has the lock, as it wrote itself down. For messages only.</summary>
    public static int? Holder(string path)
    {
        try
        {
            var text = File.ReadAllText(HolderFile(path));
            return int.TryParse(text, CultureInfo.InvariantCulture, out var processId) ? processId : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string HolderFile(string path) => $"{path}.pid";

    public void Dispose() => _file.Dispose();

    // On Unix an IOException carries errno. EWOULDBLOCK is 11 on Linux and 35 on macOS.
    private static bool IsWouldBlock(IOException e) => e.HResult == (OperatingSystem.IsMacOS() ? 35 : 11);
}
