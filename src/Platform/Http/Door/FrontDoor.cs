using System.Security.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace Verbatim.Platform.Http.Door;

/// <summary>All that happens to a request before anybody asks whose it is: where it really comes from, how large it may be, how often it may come.</summary>
internal static class FrontDoor
{
    private static readonly TimeSpan PreflightAge = TimeSpan.FromMinutes(10);

    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

    private static readonly string[] ReadableHeaders =
    [
        HeaderNames.ETag,
        HeaderNames.Location,
        HeaderNames.RetryAfter,
        RequestId.Header,
    ];

    /// <summary>Reads the settings and registers what <see cref="UseFrontDoor"/> needs.</summary>
    /// <exception cref="Configuration.SettingException">A setting is wrong.</exception>
    public static void AddFrontDoor(this WebApplicationBuilder builder)
    {
        var settings = DoorSettings.Read(builder.Configuration);
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(new AddressLimits(builder.Configuration));
        builder.Services.AddSingleton<SecurityHeaders>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ConfigureHttpsDefaults(https => https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13);
        });
        // It logs every address with its query, in which links from mails have their tokens.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning);
        builder.Services.Configure<ForwardedHeadersOptions>(options =>
        {
            options.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            options.KnownProxies.Clear();
            options.KnownIPNetworks.Clear();
            foreach (var network in settings.TrustedProxies)
                options.KnownIPNetworks.Add(network);
            // From the nearest on, as long as each is trusted: what a client has written itself stands behind the first that is not.
            options.ForwardLimit = null;
        });
        builder.Services.AddCors(cors =>
            cors.AddDefaultPolicy(policy =>
            {
                policy
                    .WithOrigins([.. settings.CorsOrigins])
                    .AllowAnyHeader()
                    .WithMethods(Methods)
                    .WithExposedHeaders(ReadableHeaders)
                    .SetPreflightMaxAge(PreflightAge);
                if (settings.CorsCredentials)
                    policy.AllowCredentials();
            })
        );
    }

    /// <summary>Before errors are answered, so that errors are answered with all headers too.</summary>
    public static void UseFrontDoor(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<DoorSettings>();
        if (settings.TrustedProxies.Count > 0)
            app.UseForwardedHeaders();
        app.Use(app.Services.GetRequiredService<SecurityHeaders>().InvokeAsync);
    }

    /// <summary>Where errors are answered already, and before anybody asks who calls.</summary>
    public static void UseDoorLimits(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<DoorSettings>();
        if (settings.CorsOrigins.Count > 0)
            app.UseCors();
        app.Use(
            (context, next) =>
            {
                LimitBody(context, settings.MaxRequestBytes);
                return next(context);
            }
        );
        app.Use(app.Services.GetRequiredService<AddressLimits>().InvokeAsync);
    }

    // The model wires have a limit of their own, and so may any route.
    private static void LimitBody(HttpContext context, int maxBytes)
    {
        if (
            context.Request.Path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase)
            || context.GetEndpoint()?.Metadata.GetMetadata<IRequestSizeLimitMetadata>() is not null
        )
            return;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
            feature.MaxRequestBodySize = maxBytes;
    }
}
