using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Verbatim.Modules.Identity.Passwords;

/// <summary>Whether a password is right.</summary>
internal enum PasswordCheck
{
    Wrong,
    Right,

    /// <summary>Right, but hashed with fewer rounds than is the setting now: hash it again.</summary>
    RightAndOutdated,
}

/// <summary>Hashes passwords (PBKDF2 with HMAC-SHA512), beside the threads that serve requests.</summary>
internal sealed class PasswordHashing : IDisposable
{
    // Where PasswordHasher's third format keeps its rounds: after its version and its function, big-endian.
    private const int RoundsOffset = 5;
    private const byte Format = 0x01;
    private static readonly object Anyone = new();

    private readonly int _iterations;
    private readonly PasswordHasher<object> _hasher;
    private readonly HashingThreads _threads = new();
    private readonly Lazy<string> _nobodysHash;

    public PasswordHashing(PasswordSettings settings)
    {
        _iterations = settings.Iterations;
        _hasher = new PasswordHasher<object>(
            Options.Create(new PasswordHasherOptions { IterationCount = settings.Iterations })
        );
        _nobodysHash = new Lazy<string>(() => _hasher.HashPassword(Anyone, RandomNumberGenerator.GetHexString(64)));
    }

    /// <summary>The hash of a password, with a new salt.</summary>
    /// <exception cref="Platform.Http.BusyException">More passwords wait than can be hashed soon.</exception>
    public Task<string> HashAsync(string password, CancellationToken cancellationToken) =>
        _threads.RunAsync(() => _hasher.HashPassword(Anyone, NormalForm.Compose(password)), cancellationToken);

    /// <summary>Whether the password has this hash. Takes as long when there is no hash, or an older one, so that time tells nothing.</summary>
    /// <param name="hash">The hash, or null where there is no account.</param>
    /// <param name="password">What was typed.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="Platform.Http.BusyException">More passwords wait than can be hashed soon.</exception>
    public Task<PasswordCheck> CheckAsync(string? hash, string password, CancellationToken cancellationToken) =>
        _threads.RunAsync(() => Check(hash, NormalForm.Compose(password)), cancellationToken);

    /// <summary>Spares what is done before a check that would be refused.</summary>
    /// <exception cref="Platform.Http.BusyException">More passwords wait than can be hashed soon.</exception>
    public void ThrowIfBusy() => _threads.ThrowIfFull();

    public void Dispose() => _threads.Dispose();

    internal static int RoundsOf(string hash)
    {
        var bytes = Convert.FromBase64String(hash);
        return bytes is [Format, ..] && bytes.Length > RoundsOffset + sizeof(int)
            ? System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(RoundsOffset))
            : 0;
    }

    private PasswordCheck Check(string? hash, string password)
    {
        var result = _hasher.VerifyHashedPassword(Anyone, hash ?? _nobodysHash.Value, password);
        if (hash is null)
            return PasswordCheck.Wrong;
        // An account from before the rounds were raised would answer sooner than one that does not exist.
        if (_iterations - RoundsOf(hash) is > 0 and var missing)
            Rfc2898DeriveBytes.Pbkdf2(password, new byte[16], missing, HashAlgorithmName.SHA512, 32);
        return result switch
        {
            PasswordVerificationResult.Success => PasswordCheck.Right,
            PasswordVerificationResult.SuccessRehashNeeded => PasswordCheck.RightAndOutdated,
            _ => PasswordCheck.Wrong,
        };
    }
}
