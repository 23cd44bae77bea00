using Verbatim.Modules.Audit;
using Verbatim.Modules.Gateway;
using Verbatim.Modules.Identity;
using Verbatim.Platform.Modules;

// The settings file lies beside the program, wherever it is called from.
var builder = WebApplication.CreateBuilder(
    new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory }
);
builder.AddModules(
    builder.Configuration.GetConnectionString("Postgres") ?? "",
    new IdentityModule(),
    new GatewayModule(),
    new AuditModule()
);

var app = builder.Build();
await app.Services.MigrateAsync(CancellationToken.None);
await app.Services.RunStartupStepsAsync(CancellationToken.None);
app.MapModules();
await app.RunAsync();
