using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Verbatim.Platform.Http;

/// <summary>Keeps the record of requests that were denied. A module provides it; without one they are not recorded.</summary>
public interface IDenialRecorder
{
    /// <summary>Called before the answer, 401 or 403, leaves. It must not throw: the answer is no other for not being recorded.</summary>
    Task RecordAsync(HttpContext context);
}

/// <summary>On a route: it records by itself whom it denies, with more than could be said here.</summary>
public sealed record RecordsDenialsItself;

/// <summary>Brings every denied request before the recorder.</summary>
public static class DeniedAccess
{
    /// <summary>The route records by itself whom it denies.</summary>
    public static TBuilder RecordsDenialsItself<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RecordsDenialsItself());

    internal static RequestDelegate Observe(RequestDelegate next, IDenialRecorder recorder)
    {
        return context =>
        {
            context.Response.OnStarting(
                static state =>
                {
                    var (context, recorder) = ((HttpContext, IDenialRecorder))state;
                    return
                        context.Response.StatusCode
                            is StatusCodes.Status401Unauthorized
                                or StatusCodes.Status403Forbidden
                        && context.GetEndpoint()?.Metadata.GetMetadata<RecordsDenialsItself>() is null
                        ? recorder.RecordAsync(context)
                        : Task.CompletedTask;
                },
                (context, recorder)
            );
            return next(context);
        };
    }
}
