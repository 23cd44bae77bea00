using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Verbatim.Platform.Configuration;

namespace Verbatim.Platform.Secrets;

/// <summary>
/// The key that wraps every stored secret (AES-256-GCM). All instances on one database share it. It comes from
/// <c>Secrets:MasterKey</c> (32 bytes in base64) or <c>Secrets:MasterKeyFile</c>; without either a first start makes one in
/// <c>VERBATIM_HOME</c>, which is meant for one machine.
/// </summary>
public sealed partial class MasterKey
{
    private const int KeySize = 32;
    private const int TagSize = 16;
    private static readonly int NonceSize = AesGcm.NonceByteSizes.MaxSize;

    private readonly byte[] _key;

    private MasterKey(byte[] key) => _key = key;

    /// <summary>Loads the key that the settings name, or makes one for this machine.</summary>
    /// <exception cref="SettingException">A setting is wrong; the message says which and what is valid.</exception>
    public static MasterKey Load(IConfiguration configuration, ILogger<MasterKey> logger)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (configuration["Secrets:MasterKey"] is { Length: > 0 } given)
            return new MasterKey(Parse(given, "Secrets:MasterKey"));
        if (configuration["Secrets:MasterKeyFile"] is { Length: > 0 } file)
            return File.Exists(file)
                ? new MasterKey(Parse(File.ReadAllText(file), "Secrets:MasterKeyFile"))
                : throw new SettingException($"Secrets:MasterKeyFile names '{file}', which does not exist.");

        var home = VerbatimHome.From(configuration).Path;
        var path = Path.Combine(home, "master.key");
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(home);
            Write(path, Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeySize)));
            LogMade(logger, path);
        }
        return new MasterKey(Parse(File.ReadAllText(path), path));
    }

    /// <summary>Seals a secret. What it is for is bound in, so that sealed values cannot be swapped.</summary>
    /// <param name="secret">The bytes to hide.</param>
    /// <param name="purpose">For instance <c>identity.signing-key:&lt;kid&gt;</c>; the same is needed to open it.</param>
    /// <returns>Nonce, ciphertext and tag, in this order.</returns>
    public byte[] Seal(ReadOnlySpan<byte> secret, string purpose)
    {
        var sealedBytes = new byte[NonceSize + secret.Length + TagSize];
        var nonce = sealedBytes.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key, TagSize);
        aes.Encrypt(
            nonce,
            secret,
            sealedBytes.AsSpan(NonceSize, secret.Length),
            sealedBytes.AsSpan(NonceSize + secret.Length),
            Encoding.UTF8.GetBytes(purpose)
        );
        return sealedBytes;
    }

    /// <summary>Opens what <see cref="Seal"/> made.</summary>
    /// <exception cref="CryptographicException">It was sealed under another key or for another purpose, or was changed.</exception>
    public byte[] Open(ReadOnlySpan<byte> sealedBytes, string purpose)
    {
        if (sealedBytes.Length < NonceSize + TagSize)
            throw new CryptographicException("The sealed secret is cut short.");
        var secret = new byte[sealedBytes.Length - NonceSize - TagSize];
        using var aes = new AesGcm(_key, TagSize);
        aes.Decrypt(
            sealedBytes[..NonceSize],
            sealedBytes.Slice(NonceSize, secret.Length),
            sealedBytes[^TagSize..],
            secret,
            Encoding.UTF8.GetBytes(purpose)
        );
        return secret;
    }

    private static byte[] Parse(string text, string source)
    {
        Span<byte> key = stackalloc byte[KeySize + 1];
        return Convert.TryFromBase64String(text.Trim(), key, out var length) && length == KeySize
            ? key[..KeySize].ToArray()
            : throw new SettingException(
                $"{source} must be 32 bytes in base64, as 'openssl rand -base64 32' prints them."
            );
    }

    // Two instances may start at once: whoever creates the file first has made the key.
    private static void Write(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using var writer = new StreamWriter(path, options);
            writer.WriteLine(text);
        }
        catch (IOException) when (File.Exists(path))
        {
            // The other one's key is the key.
        }
    }

    [LoggerMessage(
        LogLevel.Warning,
        "Made a master key in {Path}. Keep a copy: without it the secrets in the database are lost. With several instances, set Secrets:MasterKeyFile on each"
    )]
    private static partial void LogMade(ILogger logger, string path);
}
