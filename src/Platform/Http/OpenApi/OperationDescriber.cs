using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using Verbatim.Platform.Http.Idempotency;

namespace Verbatim.Platform.Http.OpenApi;

/// <summary>
/// Describes a route by what it declares: its class names the operation, its scope says who may call it, its dialect how errors look, and its
/// examples show the bodies.
/// </summary>
internal sealed class OperationDescriber(IOptions<JsonOptions> json) : IOpenApiOperationTransformer
{
    /// <summary>The security scheme of an API key or access token in <c>Authorization</c>.</summary>
    public const string Bearer = "bearer";

    /// <summary>The security scheme of an API key in <c>x-api-key</c>.</summary>
    public const string ApiKey = "apiKey";

    private const string EventStream = "text/event-stream";

    // Answers of several values, which come one by one.
    private static readonly Dictionary<string, string> Sequences = new(StringComparer.Ordinal)
    {
        [EventStream] = "Server-sent events.",
        ["application/x-ndjson"] = "A JSON object a line.",
    };

    private const string SampleId = "0198c8a4-2f6b-7d0e-9a51-c3e07b64d218";

    public async Task TransformAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        var document = context.Document!;
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        operation.OperationId =
            metadata.OfType<IEndpointNameMetadata>().LastOrDefault()?.EndpointName
            ?? NameOf(metadata.OfType<MethodInfo>().First());
        DescribeSecurity(operation, metadata.OfType<RouteScope>().Last().Scope, document);
        DescribeParameters(operation);
        var isIdempotent = IdempotencyMiddleware.Covers(
            context.Description.HttpMethod!,
            context.Description.RelativePath!,
            metadata.OfType<RouteScope>().Last()
        );
        if (isIdempotent)
            (operation.Parameters ??= []).Add(new OpenApiParameterReference(IdempotencyMiddleware.KeyHeader, document));
        DescribeRequest(operation, metadata);
        DescribeResponses(operation, metadata, document);
        await DescribeErrorsAsync(operation, metadata, isIdempotent, context, cancellationToken);

        var responses = operation.Responses!.OrderBy(r => r.Key, StringComparer.Ordinal).ToList();
        operation.Responses = [];
        foreach (var (status, response) in responses)
            operation.Responses.Add(status, response);
    }

    // The endpoint's class, also when its handler is a lambda: CreateApiKey is createApiKey.
    private static string NameOf(MethodInfo handler)
    {
        var type = handler.DeclaringType!;
        while (type.DeclaringType is { } outer)
            type = outer;
        return JsonNamingPolicy.CamelCase.ConvertName(type.Name);
    }

    private static void DescribeSecurity(OpenApiOperation operation, string? scope, OpenApiDocument document)
    {
        operation.Security = scope is null
            ? []
            :
            [
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, document)] = [scope] },
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(ApiKey, document)] = [scope] },
            ];
        var who = scope is null ? "Open to anyone." : $"Needs the scope `{scope}`.";
        operation.Description = $"{operation.Description}\n\n{who}";
    }

    private static void DescribeParameters(OpenApiOperation operation)
    {
        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
        {
            // A property of an [AsParameters] record keeps its C# name; queries are read in any case.
            if (parameter.In == ParameterLocation.Query)
                parameter.Name = JsonNamingPolicy.CamelCase.ConvertName(parameter.Name!);
            if (parameter.Schema?.Format == "uuid")
                parameter.Example = SampleId;
        }
    }

    private void DescribeRequest(OpenApiOperation operation, IList<object> metadata)
    {
        var examples = metadata.OfType<RequestExample>().ToList();
        if (examples.Count == 0)
            return;
        if (operation.RequestBody?.Content is { Count: > 1 } contents)
            contents.Remove(RouteDescriptions.AnyContent);
        foreach (var content in operation.RequestBody?.Content?.Values ?? [])
            Show(content, [.. examples.Select(e => (e.Name, ToNode(e.Value)))]);
    }

    private void DescribeResponses(OpenApiOperation operation, IList<object> metadata, OpenApiDocument document)
    {
        foreach (var (status, response) in operation.Responses!.Where(r => r.Key[0] == '2'))
        {
            AddRequestId((OpenApiResponse)response, document);
            foreach (var header in metadata.OfType<ResponseHeader>())
                response.Headers!.Add(header.Name, Header(header.Description));
            foreach (var (type, content) in response.Content?.ToList() ?? [])
            {
                // One of them is not the whole answer, and 3.1 has no word for a sequence.
                var isSequence = Sequences.TryGetValue(type, out var description);
                if (isSequence)
                    content.Schema = new OpenApiSchema { Type = JsonSchemaType.String, Description = description };
                var examples = metadata
                    .OfType<ResponseExample>()
                    .Where(e => Text(e.Status) == status && e.ContentType == type)
                    .Select(e => (e.Name, isSequence ? JsonValue.Create((string)e.Value) : ToNode(e.Value)))
                    .ToList();
                Show(content, examples);
            }
        }
    }

    // The errors that any route of its kind has, those that it declares, and a word on all others.
    private async Task DescribeErrorsAsync(
        OpenApiOperation operation,
        IList<object> metadata,
        bool isIdempotent,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        var dialect = metadata.OfType<IErrorDialect>().LastOrDefault() ?? ProblemDialect.Instance;
        var common = CommonErrors(operation, dialect)
            .Concat(isIdempotent ? [IdempotencyMiddleware.InProgress, IdempotencyMiddleware.KeyReused] : [])
            .ToLookup(e => e.Status);
        var declared = metadata.OfType<RouteError>().Select(e => e.Error).ToLookup(e => e.Status);

        foreach (var status in operation.Responses!.Keys.Where(s => s[0] is '4' or '5').ToList())
            operation.Responses.Remove(status);
        foreach (var status in common.Concat(declared).Select(e => e.Key).Distinct())
        {
            var title = ReasonPhrases.GetReasonPhrase(status);
            operation.Responses[Text(status)] = declared.Contains(status)
                ? await ErrorAsync(dialect, title, [.. common[status], .. declared[status]], context, cancellationToken)
                : await SharedErrorAsync(
                    dialect,
                    title.Replace(" ", "", StringComparison.Ordinal),
                    title,
                    [.. common[status]],
                    context,
                    cancellationToken
                );
        }
        operation.Responses["default"] = await SharedErrorAsync(
            dialect,
            "Error",
            "Any other error, for instance one of these.",
            [Errors.BodyTooLarge, Errors.UnsupportedMediaType, Errors.Internal, Errors.Unavailable],
            context,
            cancellationToken
        );
    }

    // One that many routes have stands once in the document.
    private async Task<IOpenApiResponse> SharedErrorAsync(
        IErrorDialect dialect,
        string name,
        string description,
        IReadOnlyList<HttpError> errors,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        name = dialect.Name + name;
        var document = context.Document!;
        if (document.Components?.Responses?.ContainsKey(name) != true)
            document.AddComponent<IOpenApiResponse>(
                name,
                await ErrorAsync(dialect, description, errors, context, cancellationToken)
            );
        return new OpenApiResponseReference(name, document);
    }

    private static IEnumerable<HttpError> CommonErrors(OpenApiOperation operation, IErrorDialect dialect)
    {
        // A wire that is not ours reads its requests itself, and declares what it says.
        var isRead =
            operation.RequestBody is not null
            || operation.Parameters?.Any(p => p.In == ParameterLocation.Query) == true;
        if (isRead && dialect is ProblemDialect)
        {
            yield return Errors.MalformedRequest;
            yield return Errors.ValidationFailed;
        }
        if (operation.Security!.Count > 0)
        {
            yield return Errors.Unauthenticated;
            yield return Errors.Forbidden;
        }
    }

    private async Task<OpenApiResponse> ErrorAsync(
        IErrorDialect dialect,
        string description,
        IReadOnlyList<HttpError> errors,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        var bodies = errors.Select(e => (Name: (string?)e.Code, Body: dialect.Describe(e))).ToList();
        var type = bodies[0].Body.GetType();
        var schema = await context.GetOrCreateSchemaAsync(type, null, cancellationToken);
        context.Document!.AddComponent<IOpenApiSchema>(type.Name, schema);
        var content = new OpenApiMediaType { Schema = new OpenApiSchemaReference(type.Name, context.Document) };
        Show(content, [.. bodies.Select(b => (b.Name, ToNode(b.Body)))]);
        var response = new OpenApiResponse
        {
            Description = description,
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                [dialect.ContentType] = content,
            },
        };
        AddRequestId(response, context.Document!);
        return response;
    }

    private static void AddRequestId(OpenApiResponse response, OpenApiDocument document)
    {
        response.Headers ??= new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal);
        response.Headers[RequestId.Header] = new OpenApiHeaderReference(RequestId.Header, document);
    }

    internal static OpenApiHeader Header(string description) =>
        new()
        {
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        };

    private static void Show(OpenApiMediaType content, List<(string? Name, JsonNode? Value)> examples)
    {
        if (examples is [(null, var only)])
            content.Example = only;
        else if (examples.Count > 0)
            content.Examples = examples
                .Select((e, i) => KeyValuePair.Create(e.Name ?? "example" + Text(i + 1), e.Value))
                .ToDictionary(
                    e => e.Key.Replace(' ', '-'),
                    IOpenApiExample (e) => new OpenApiExample { Summary = e.Key, Value = e.Value },
                    StringComparer.Ordinal
                );
    }

    // A text is JSON already.
    private JsonNode? ToNode(object value) =>
        value is string text
            ? JsonNode.Parse(text)
            : JsonSerializer.SerializeToNode(value, value.GetType(), json.Value.SerializerOptions);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
