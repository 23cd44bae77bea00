using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Verbatim.Platform.Http.OpenApi;

internal static class ApiDescriptionServices
{
    public static void AddApiDescription(this IServiceCollection services)
    {
        services.AddSingleton<ApiDescription>();
        services.AddSingleton<XmlComments>();
        services.AddOpenApi(
            ApiDescription.Name,
            options =>
            {
                options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
                options.CreateSchemaReferenceId = SchemaDescriber.NameOf;
                options.AddSchemaTransformer<SchemaDescriber>();
                // Before the parameters get the names that they have on the wire.
                options.AddOperationTransformer(QueryTextSchemas.TransformAsync);
                options.AddOperationTransformer<OperationDescriber>();
                options.AddDocumentTransformer<DocumentDescriber>();
            }
        );
    }
}
