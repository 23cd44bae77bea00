using Microsoft.AspNetCore.WebUtilities;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream;

/// <summary>A request as a wire sees it.</summary>
internal readonly ref struct WireRequest
{
    private const string CommandsHeader = "x-upstream-commands";
    private const string CommandsField = "x_upstream";

    public required string Method { get; init; }
    public required string Path { get; init; }

    /// <summary>With its question mark; empty when there is none.</summary>
    public required string Query { get; init; }
    public required IHeaderDictionary Headers { get; init; }
    public required ReadOnlySpan<byte> Body { get; init; }

    /// <summary>The id and time of the answer, for wires that keep what they answered.</summary>
    public required Stamp Stamp { get; init; }

    /// <summary>Null where requests are not recorded.</summary>
    public required AttemptCounter? Attempts { get; init; }

    /// <summary>What stands for the model where the path names it; Azure's.</summary>
    public string? Deployment { get; init; }

    public bool IsPost => HttpMethods.IsPost(Method);

    public bool IsGet => HttpMethods.IsGet(Method);

    public bool IsDelete => HttpMethods.IsDelete(Method);

    /// <summary>The value of a header; empty when it is absent.</summary>
    public string Header(string name) => Headers.TryGetValue(name, out var values) ? values.ToString() : "";

    /// <summary>A parameter of the query, or null.</summary>
    public string? Parameter(string name)
    {
        if (Query.Length is 0)
            return null;
        foreach (var pair in new QueryStringEnumerable(Query))
        {
            if (pair.DecodeName().Span.SequenceEqual(name))
                return pair.DecodeValue().ToString();
        }

        return null;
    }

    /// <summary>
    /// The commands beside the body, for bodies that are no JSON and requests that have none: in the form of a model's
    /// name after its <c>@</c>, or as JSON. Empty when there are none.
    /// </summary>
    public string CommandsBesideTheBody()
    {
        var header = Header(CommandsHeader);
        return header.Length > 0 ? header : Parameter(CommandsField) ?? "";
    }
}
