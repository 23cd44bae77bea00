using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Verbatim.Platform.Configuration;

namespace Verbatim.Platform.Http.Door;

/// <summary>The doors that are limited by address, each with a setting of its own.</summary>
public enum AddressLimit
{
    /// <summary>Logging in, with a password or a second factor: each costs a tenth of a second of a core.</summary>
    Logins,

    /// <summary>Asking for a mail that resets a password, and resetting it.</summary>
    Resets,

    /// <summary>Tokens: given, refreshed, looked at, revoked.</summary>
    Tokens,
}

/// <summary>
/// Requests a minute that one client network may make at a limited route, on each instance; refused requests do not count. As many may come at
/// once, and then as they are given back, second by second.
/// </summary>
public sealed class AddressLimits : IDisposable
{
    private const int Max = 1_000_000;

    private static readonly HttpError TooMany = new(
        StatusCodes.Status429TooManyRequests,
        "too-many-requests",
        "Too many requests of this kind come from your address; wait as long as retry-after says."
    );

    private readonly Dictionary<AddressLimit, PartitionedRateLimiter<string>> _limiters;

    /// <summary>Reads the limits from <c>Http:RateLimits</c>.</summary>
    /// <exception cref="SettingException">One is wrong.</exception>
    public AddressLimits(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        _limiters = new Dictionary<AddressLimit, PartitionedRateLimiter<string>>
        {
            [AddressLimit.Logins] = Create(Read(configuration, AddressLimit.Logins, 60)),
            [AddressLimit.Resets] = Create(Read(configuration, AddressLimit.Resets, 10)),
            [AddressLimit.Tokens] = Create(Read(configuration, AddressLimit.Tokens, 600)),
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var limiter in _limiters.Values)
            limiter.Dispose();
    }

    internal Task InvokeAsync(HttpContext context, RequestDelegate next) =>
        context.GetEndpoint()?.Metadata.GetMetadata<LimitedByAddress>() is { Limit: var limit }
            ? InvokeLimitedAsync(context, next, limit)
            : next(context);

    private async Task InvokeLimitedAsync(HttpContext context, RequestDelegate next, AddressLimit limit)
    {
        using var lease = _limiters[limit].AttemptAcquire(ClientNetwork.Of(context));
        if (lease.IsAcquired)
        {
            await next(context);
            return;
        }
        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var known) ? known : TimeSpan.FromSeconds(1);
        context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds))
            .ToString(CultureInfo.InvariantCulture);
        await Errors.WriteAsync(context, TooMany);
    }

    private static PartitionedRateLimiter<string> Create(int perMinute) =>
        PartitionedRateLimiter.Create<string, string>(network =>
            RateLimitPartition.GetTokenBucketLimiter(
                network,
                _ => new TokenBucketRateLimiterOptions
                {
                    TokenLimit = perMinute,
                    TokensPerPeriod = Math.Max(1, perMinute / 60),
                    ReplenishmentPeriod =
                        perMinute >= 60 ? TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(60.0 / perMinute),
                    QueueLimit = 0,
                }
            )
        );

    private static int Read(IConfiguration configuration, AddressLimit limit, int otherwise)
    {
        var name = $"Http:RateLimits:{limit}";
        if (configuration[name] is not { Length: > 0 } text)
            return otherwise;
        return
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is >= 1 and <= Max
            ? number
            : throw new SettingException(
                $"{name} is '{text}'; valid is a whole number of requests a minute, from 1 to {Max}."
            );
    }
}

/// <summary>Declares a route's limit.</summary>
public static class LimitedByAddressExtensions
{
    /// <summary>One client network makes so many requests a minute here and no more: 429 with <c>retry-after</c>.</summary>
    public static TBuilder LimitByAddress<TBuilder>(this TBuilder builder, AddressLimit limit)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new LimitedByAddress(limit));
}

internal sealed record LimitedByAddress(AddressLimit Limit);
