using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Verbatim.Platform.Http;

/// <summary>Keeps the record of requests that were denied. A module provides it; without one they are not recorded.</summary>
public interface IDenialRecorder
{
    /// <summary>Called before the answer, 401 or 403, leaves. It must not throw: the answer is no other for not being recorded.</summary>
    Task RecordAsync(HttpContext context);
}

/// <summary>On a route: it records failed proofs (401) by itself, with more than could be said here. What it forbids (403) it does not.</summary>
public sealed record RecordsFailedProofs;

/// <summary>Brings every denied request before the recorder.</summary>
public static class DeniedAccess
{
    /// <summary>The route records failed proofs (401) by itself.</summary>
    public static TBuilder RecordsFailedProofs<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RecordsFailedProofs());

    internal static RequestDelegate Observe(RequestDelegate next, IDenialRecorder recorder)
    {
        return context =>
        {
            context.Response.OnStarting(
                static state =>
                {
                    var (context, recorder) = ((HttpContext, IDenialRecorder))state;
                    return context.Response.StatusCode switch
                    {
                        StatusCodes.Status403Forbidden => recorder.RecordAsync(context),
                        StatusCodes.Status401Unauthorized
                            when context.GetEndpoint()?.Metadata.GetMetadata<RecordsFailedProofs>() is null =>
                            recorder.RecordAsync(context),
                        _ => Task.CompletedTask,
                    };
                },
                (context, recorder)
            );
            return next(context);
        };
    }
}
