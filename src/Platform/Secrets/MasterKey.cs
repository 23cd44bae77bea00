using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Verbatim.Platform.Configuration;

namespace Verbatim.Platform.Secrets;

/// <summary>
/// The key that wraps every stored secret (AES-256-GCM). All instances on one database share it. It comes from
/// <c>Secrets:MasterKey</c> (32 bytes in base64) or <c>Secrets:MasterKeyFile</c>; without either a first start makes one in
/// <c>VERBATIM_HOME</c>, which is meant for one machine. Where several are given, parted by white space, the first seals, and the others
/// still open what they sealed.
/// </summary>
public sealed partial class MasterKey
{
    /// <summary>The size of a key's id in bytes. Everything that is sealed begins with the id of its key.</summary>
    public const int IdSize = 4;

    private const int KeySize = 32;
    private const int TagSize = 16;
    private static readonly int NonceSize = AesGcm.NonceByteSizes.MaxSize;
    private static readonly int HeadSize = IdSize + NonceSize;

    private readonly string? _file;
    private volatile Keys _keys;
    private DateTime _readAt;

    private MasterKey(IReadOnlyList<byte[]> keys, string? file = null)
    {
        _keys = new Keys(keys);
        _file = file;
        if (file is not null)
            _readAt = System.IO.File.GetLastWriteTimeUtc(file);
    }

    /// <summary>The id of the key that seals: the first bytes of its SHA-256.</summary>
    public ReadOnlyMemory<byte> CurrentId => _keys.CurrentId;

    /// <summary>The file that the keys are in, or null when the settings hold them.</summary>
    public string? File => _file;

    /// <summary>Loads the keys that the settings name, or makes one for this machine.</summary>
    /// <exception cref="SettingException">A setting is wrong; the message says which and what is valid.</exception>
    public static MasterKey Load(IConfiguration configuration, ILogger<MasterKey> logger)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (configuration["Secrets:MasterKey"] is { Length: > 0 } given)
            return new MasterKey(Parse(given, "Secrets:MasterKey"));
        if (configuration["Secrets:MasterKeyFile"] is { Length: > 0 } file)
            return System.IO.File.Exists(file)
                ? new MasterKey(Parse(System.IO.File.ReadAllText(file), "Secrets:MasterKeyFile"), file)
                : throw new SettingException($"Secrets:MasterKeyFile names '{file}', which does not exist.");

        var home = VerbatimHome.From(configuration).Path;
        var path = Path.Combine(home, "master.key");
        if (!System.IO.File.Exists(path))
        {
            Directory.CreateDirectory(home);
            Create(path, NewKey());
            LogMade(logger, path);
        }
        return new MasterKey(Parse(System.IO.File.ReadAllText(path), path), path);
    }

    /// <summary>A key of 32 bytes.</summary>
    public static MasterKey Of(byte[] key) => new([key]);

    /// <summary>Seals a secret. What it is for is bound in, so that sealed values cannot be swapped.</summary>
    /// <param name="secret">The bytes to hide.</param>
    /// <param name="purpose">For instance <c>identity.signing-key:&lt;kid&gt;</c>; the same is needed to open it.</param>
    /// <returns>The key's id, nonce, ciphertext and tag, in this order.</returns>
    public byte[] Seal(ReadOnlySpan<byte> secret, string purpose)
    {
        // What is sealed under a key that is about to be taken away would be lost.
        if (_file is not null && System.IO.File.GetLastWriteTimeUtc(_file) != _readAt)
            TryReload();
        var keys = _keys;
        var sealedBytes = new byte[HeadSize + secret.Length + TagSize];
        keys.CurrentId.CopyTo(sealedBytes);
        var nonce = sealedBytes.AsSpan(IdSize, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(keys.Current, TagSize);
        aes.Encrypt(
            nonce,
            secret,
            sealedBytes.AsSpan(HeadSize, secret.Length),
            sealedBytes.AsSpan(HeadSize + secret.Length),
            Encoding.UTF8.GetBytes(purpose)
        );
        return sealedBytes;
    }

    /// <summary>Opens what <see cref="Seal"/> made.</summary>
    /// <exception cref="CryptographicException">It was sealed under another key or for another purpose, or was changed.</exception>
    public byte[] Open(ReadOnlySpan<byte> sealedBytes, string purpose)
    {
        if (sealedBytes.Length < HeadSize + TagSize)
            throw new CryptographicException("The sealed secret is cut short.");
        if (_keys.Find(sealedBytes[..IdSize]) is not { } key)
        {
            // Another process may have put a new key into the file.
            TryReload();
            key =
                _keys.Find(sealedBytes[..IdSize])
                ?? throw new CryptographicException(
                    $"It was sealed under the master key {Convert.ToHexStringLower(sealedBytes[..IdSize])}, which is none of those that are given."
                );
        }
        var secret = new byte[sealedBytes.Length - HeadSize - TagSize];
        using var aes = new AesGcm(key, TagSize);
        aes.Decrypt(
            sealedBytes.Slice(IdSize, NonceSize),
            sealedBytes.Slice(HeadSize, secret.Length),
            sealedBytes[^TagSize..],
            secret,
            Encoding.UTF8.GetBytes(purpose)
        );
        return secret;
    }

    /// <summary>Seals anew, under the key that seals now, what another of the keys has sealed.</summary>
    public byte[] Reseal(ReadOnlySpan<byte> sealedBytes, string purpose)
    {
        var secret = Open(sealedBytes, purpose);
        var resealed = Seal(secret, purpose);
        CryptographicOperations.ZeroMemory(secret);
        return resealed;
    }

    /// <summary>Puts a new key before those in the file, so that it seals from now on.</summary>
    /// <exception cref="InvalidOperationException">There is no file.</exception>
    internal void AddToFile() => Rewrite([NewKey(), .. _keys.All.Select(Convert.ToBase64String)]);

    /// <summary>Leaves only the key that seals in the file.</summary>
    /// <exception cref="InvalidOperationException">There is no file.</exception>
    internal void KeepCurrentInFile() => Rewrite([Convert.ToBase64String(_keys.Current)]);

    internal int Count => _keys.All.Count;

    // A file that is gone, or is just being written by hand, is no reason to forget the keys that are known.
    private void TryReload()
    {
        try
        {
            Reload();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SettingException)
        {
            // The next one who needs it looks again.
        }
    }

    private void Reload()
    {
        if (_file is null)
            return;
        var writtenAt = System.IO.File.GetLastWriteTimeUtc(_file);
        _keys = new Keys(Parse(System.IO.File.ReadAllText(_file), _file));
        _readAt = writtenAt;
    }

    private void Rewrite(IEnumerable<string> keys)
    {
        if (_file is null)
            throw new InvalidOperationException("The master key comes from a setting, not from a file.");
        var next = _file + ".next";
        System.IO.File.Delete(next);
        Create(next, string.Join('\n', keys));
        System.IO.File.Move(next, _file, overwrite: true);
        Reload();
    }

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeySize));

    private static List<byte[]> Parse(string text, string source)
    {
        var keys = new List<byte[]>();
        Span<byte> key = stackalloc byte[KeySize + 1];
        foreach (var part in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Convert.TryFromBase64String(part, key, out var length) || length != KeySize)
                throw Invalid(source);
            keys.Add(key[..KeySize].ToArray());
        }
        return keys.Count > 0 ? keys : throw Invalid(source);
    }

    private static SettingException Invalid(string source) =>
        new(
            $"{source} must be 32 bytes in base64, as 'openssl rand -base64 32' prints them; or several of these, parted by white space, of which the first seals."
        );

    // Two instances may start at once: whoever creates the file first has made the key.
    private static void Create(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using var writer = new StreamWriter(path, options);
            writer.WriteLine(text);
        }
        catch (IOException) when (System.IO.File.Exists(path))
        {
            // The other one's key is the key.
        }
    }

    [LoggerMessage(
        LogLevel.Warning,
        "Made a master key in {Path}. Keep a copy: without it the secrets in the database, and all personal data, are lost. With several instances, set Secrets:MasterKeyFile on each"
    )]
    private static partial void LogMade(ILogger logger, string path);

    private sealed class Keys(IReadOnlyList<byte[]> all)
    {
        private readonly (byte[] Id, byte[] Key)[] _byId = [.. all.Select(k => (IdOf(k), k))];

        public IReadOnlyList<byte[]> All => all;

        public byte[] Current => all[0];

        public ReadOnlyMemory<byte> CurrentId => _byId[0].Id;

        public byte[]? Find(ReadOnlySpan<byte> id)
        {
            foreach (var (known, key) in _byId)
            {
                if (id.SequenceEqual(known))
                    return key;
            }
            return null;
        }

        private static byte[] IdOf(byte[] key) => SHA256.HashData(key)[..IdSize];
    }
}
