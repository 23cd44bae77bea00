using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Swashbuckle.AspNetCore.SwaggerUI;
using Verbatim.Platform.Modules;

namespace Verbatim.Platform.Http.OpenApi;

/// <summary>The description, for people: Swagger UI, all of it from this program.</summary>
internal sealed class BrowseApiDescription : IEndpoint
{
    // Nothing is loaded from elsewhere, and a request typed in here goes to this server only.
    private const string ContentSecurityPolicy =
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; "
        + "form-action 'self'; frame-ancestors 'none'";

    public string Prefix => "";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapSwaggerUI(
                "docs",
                options =>
                {
                    options.DocumentTitle = "Verbatim API";
                    options.SwaggerEndpoint($"/openapi/{ApiDescription.Name}.json", "Verbatim");
                    options.ConfigObject.DeepLinking = true;
                    options.ConfigObject.DefaultModelsExpandDepth = 0;
                    options.ConfigObject.DocExpansion = DocExpansion.List;
                    options.ConfigObject.DisplayRequestDuration = true;
                    options.ConfigObject.TryItOutEnabled = true;
                }
            )
            .AllowAnyone()
            .Add(endpoint =>
            {
                var serve = endpoint.RequestDelegate!;
                endpoint.RequestDelegate = context =>
                {
                    context.Response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
                    context.Response.Headers.XContentTypeOptions = "nosniff";
                    return serve(context);
                };
            });
}
