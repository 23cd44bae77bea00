using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Verbatim.Platform.Http.Idempotency;

namespace Verbatim.Platform.Http.OpenApi;

/// <summary>Describes the API as a whole, and puts everything into an order that does not depend on the order of discovery.</summary>
internal sealed class DocumentDescriber : IOpenApiDocumentTransformer
{
    private const string Introduction = """
        Ask models through the SDK that you already have (`/v1`), and read the record of every call (`/api`). Nothing is answered
        before its record is durable.

        **Credentials.** Send `Authorization: Bearer` with an API key (`vk_…`) or with the access token of `POST /api/auth/login`; an API
        key may also come in `x-api-key`. Each route says which scope it needs.

        **Errors.** `/api` answers RFC 9457 problems with a stable `code`. `/v1` answers in the shape that its SDKs know.

        **Lists** take `cursor` and `limit` and answer `{ "data": [], "nextCursor": null }`.

        **Repeating.** Every POST of `/api` that needs a credential takes an `Idempotency-Key`: it happens once, however often it is sent.

        **Requests** are JSON; a field that a route does not know is refused, not ignored. Times are RFC 3339 in UTC, ids are UUIDs. Every
        response carries `x-request-id`: yours, if you sent one of up to 128 visible ASCII characters.
        """;

    public Task TransformAsync(
        OpenApiDocument document,
        OpenApiDocumentTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        document.Info = new OpenApiInfo
        {
            Title = "Verbatim",
            Version = typeof(DocumentDescriber).Assembly.GetName().Version!.ToString(3),
            Description = Introduction,
            License = new OpenApiLicense { Name = "Apache License 2.0", Identifier = "Apache-2.0" },
        };
        // Relative to wherever this document was read from.
        document.Servers = [];

        var components = document.Components ??= new OpenApiComponents();
        components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            [OperationDescriber.ApiKey] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = "x-api-key",
                Description = "An API key, `vk_…`.",
            },
            [OperationDescriber.Bearer] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "An API key, `vk_…`, or an access token (a JWT) from `POST /api/auth/login`.",
            },
        };
        components.Headers = new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal)
        {
            [RequestId.Header] = OperationDescriber.Header(
                "The id of this request, in the server's log and in every event that it caused."
            ),
        };
        components.Parameters = new Dictionary<string, IOpenApiParameter>(StringComparer.Ordinal)
        {
            [IdempotencyMiddleware.KeyHeader] = new OpenApiParameter
            {
                Name = IdempotencyMiddleware.KeyHeader,
                In = ParameterLocation.Header,
                Description =
                    "Makes the request safe to repeat: within 24 hours the same key with the same request gets the first answer again, "
                    + "with `Idempotency-Replayed: true`. A fresh UUID is a good key.",
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.String,
                    MinLength = 1,
                    MaxLength = IdempotencyMiddleware.MaxKeyLength,
                },
                Example = "5f1c0f4e-8f0b-4c0e-9a43-2f6c1d7be0a9",
            },
        };
        // The framework's shapes of errors, which ours stand in for.
        components.Schemas!.Remove(nameof(ProblemDetails));
        components.Schemas.Remove(nameof(HttpValidationProblemDetails));
        Sort(document, components);
        return Task.CompletedTask;
    }

    private static void Sort(OpenApiDocument document, OpenApiComponents components)
    {
        var paths = document.Paths.OrderBy(p => p.Key, StringComparer.Ordinal).ToList();
        document.Paths = [];
        foreach (var (path, item) in paths)
        {
            var operations = item.Operations!.OrderBy(o => o.Key.Method, StringComparer.Ordinal).ToList();
            item.Operations!.Clear();
            foreach (var (method, operation) in operations)
                item.Operations.Add(method, operation);
            document.Paths.Add(path, item);
        }
        document.Tags = document.Tags!.OrderBy(t => t.Name, StringComparer.Ordinal).ToHashSet();
        components.Schemas = Sorted(components.Schemas);
        components.Responses = Sorted(components.Responses);
    }

    private static Dictionary<string, T> Sorted<T>(IDictionary<string, T>? entries) =>
        (entries ?? new Dictionary<string, T>(StringComparer.Ordinal))
            .OrderBy(e => e.Key, StringComparer.Ordinal)
            .ToDictionary(StringComparer.Ordinal);
}
