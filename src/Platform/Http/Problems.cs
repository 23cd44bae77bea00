using System.Net.Mime;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.Http;

/// <summary>RFC 9457 problems with a stable <c>code</c> and the request's id.</summary>
public static class Problems
{
    /// <summary>The problem for a refusal.</summary>
    public static ProblemHttpResult From(Refusal refusal)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        return Create(new HttpError(StatusOf(refusal.Kind), refusal.Code, refusal.Message));
    }

    /// <summary>404 with a code of the feature.</summary>
    public static ProblemHttpResult NotFound(string code, string message) =>
        Create(new HttpError(StatusCodes.Status404NotFound, code, message));

    /// <summary>400 with a code of the feature.</summary>
    public static ProblemHttpResult BadRequest(string code, string message) =>
        Create(new HttpError(StatusCodes.Status400BadRequest, code, message));

    /// <summary>Any problem.</summary>
    public static ProblemHttpResult Create(HttpError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        var problem = new ProblemDetails { Status = error.Status, Detail = error.Message };
        problem.Extensions["code"] = error.Code;
        return TypedResults.Problem(problem);
    }

    private static int StatusOf(RefusalKind kind) =>
        kind switch
        {
            RefusalKind.NotFound => StatusCodes.Status404NotFound,
            RefusalKind.Conflict => StatusCodes.Status409Conflict,
            RefusalKind.Invalid => StatusCodes.Status422UnprocessableEntity,
            RefusalKind.Forbidden => StatusCodes.Status403Forbidden,
            RefusalKind.Stale => StatusCodes.Status412PreconditionFailed,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a sort of refusal."),
        };
}

internal sealed class ProblemDialect : IErrorDialect
{
    public static readonly ProblemDialect Instance = new();

    public string Name => "Problem";

    public string ContentType => MediaTypeNames.Application.ProblemJson;

    public PathString Prefix => PathString.Empty;

    public Task WriteAsync(HttpContext context, HttpError error) => Problems.Create(error).ExecuteAsync(context);

    public object Describe(HttpError error) => error == Errors.ValidationFailed ? Problem.OfFields : Problem.Of(error);
}
