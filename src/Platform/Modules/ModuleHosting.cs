using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Verbatim.Platform.Events;
using Verbatim.Platform.Evidence;
using Verbatim.Platform.Evidence.Anchors;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Http.Idempotency;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Messaging.Jobs;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;
using Verbatim.Platform.Sweeping;

namespace Verbatim.Platform.Modules;

/// <summary>Puts modules and Platform together into a host.</summary>
public static class ModuleHosting
{
    // Longer than a restart of Postgres takes, shorter than clients wait.
    private static readonly TimeSpan LogPatience = TimeSpan.FromSeconds(15);

    // What is left after jobs were given their time.
    private static readonly TimeSpan ShutdownMargin = TimeSpan.FromSeconds(10);

    /// <summary>Registers Platform, the modules, and all that is discovered in them.</summary>
    /// <param name="builder">The host that is being built.</param>
    /// <param name="database">Where Postgres is.</param>
    /// <param name="modules">Each module of the product once.</param>
    public static void AddModules(
        this WebApplicationBuilder builder,
        Database database,
        params IReadOnlyList<IModule> modules
    )
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.AddFrontDoor();
        var services = builder.Services;
        var catalog = new ModuleCatalog(modules);
        services.AddSingleton(catalog);
        services.TryAddSingleton(TimeProvider.System);
        AddPostgres(services, database);
        AddEvents(services);
        AddEvidence(services);
        AddMessaging(services, builder.Configuration);
        AddHttp(services);

        AddDiscovered<IEndpoint>(services, catalog);
        AddDiscovered<ICommand>(services, catalog);
        AddDiscovered<IStartupStep>(services, catalog);
        AddDiscovered<ILogObserver>(services, catalog);
        AddDiscovered<IErasureStep>(services, catalog);
        AddDiscovered<SealedColumn>(services, catalog);
        AddDiscovered<Sweep>(services, catalog);
        services.AddSingleton<Sweeper>();
        services.AddHostedService(p => p.GetRequiredService<Sweeper>());
        AddDiscoveredServices(services, catalog);
        foreach (
            var type in catalog.TypesOf<object>().Where(t => t.IsDefined(typeof(SingletonAttribute), inherit: false))
        )
            services.TryAddSingleton(type);
        foreach (var module in modules)
            module.Register(services, builder.Configuration);
    }

    /// <summary>Brings the schema up to date and runs the start-up steps. Before the first request, and before any command.</summary>
    public static async Task MigrateAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(services);
        await services.GetRequiredService<Migrator>().RunAsync(cancellationToken);
        await services.GetRequiredService<DocumentUpgrade>().RunAsync(cancellationToken);
        var head = await services.GetRequiredService<EventStore>().ReadHeadAsync(cancellationToken);
        services.GetRequiredService<LogSignal>().Publish(head);
    }

    /// <summary>Runs the start-up steps of all modules, in their order.</summary>
    public static async Task RunStartupStepsAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        foreach (var step in services.GetServices<IStartupStep>().OrderBy(s => s.Order))
            await step.RunAsync(cancellationToken);
    }

    /// <summary>Maps every endpoint of every module, and refuses a route that does not say who may call it.</summary>
    public static void MapModules(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.Use(RequestId.InvokeAsync);
        app.UseFrontDoor();
        app.UseExceptionHandler();
        app.UseStatusCodePages(Errors.WriteStatusAsync);
        if (app.Services.GetService<IDenialRecorder>() is { } denials)
            app.Use(next => DeniedAccess.Observe(next, denials));
        app.UseDoorLimits();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseMiddleware<IdempotencyMiddleware>();

        var groups = new Dictionary<string, RouteGroupBuilder>(StringComparer.Ordinal);
        foreach (var endpoint in app.Services.GetServices<IEndpoint>())
        {
            if (!groups.TryGetValue(endpoint.Prefix, out var group))
                groups.Add(endpoint.Prefix, group = app.MapGroup(endpoint.Prefix));
            endpoint.Map(group);
        }
        RouteScopeExtensions.CheckEveryRouteDeclaresItsScope(
            ((IEndpointRouteBuilder)app).DataSources.SelectMany(s => s.Endpoints)
        );
    }

    // Under its own type too: a start-up step or an observer is often what other services ask for the result.
    private static void AddDiscovered<T>(IServiceCollection services, ModuleCatalog catalog)
        where T : class
    {
        foreach (var type in catalog.TypesOf<T>())
        {
            services.TryAddSingleton(type);
            services.AddSingleton(p => (T)p.GetRequiredService(type));
        }
    }

    // A background service of a module: the same object as under its other faces.
    private static void AddDiscoveredServices(IServiceCollection services, ModuleCatalog catalog)
    {
        foreach (
            var type in catalog.TypesOf<BackgroundService>().Where(t => t.Assembly != typeof(ModuleHosting).Assembly)
        )
        {
            services.TryAddSingleton(type);
            services.AddSingleton(p => (IHostedService)p.GetRequiredService(type));
        }
    }

    private static void AddPostgres(IServiceCollection services, Database database)
    {
        services.AddSingleton(database);
        services.AddSingleton<Migrator>();
        services.AddSingleton(p =>
            MasterKey.Load(p.GetRequiredService<IConfiguration>(), p.GetRequiredService<ILogger<MasterKey>>())
        );
    }

    private static void AddEvents(IServiceCollection services)
    {
        services.AddSingleton(p => new SubjectKeys(
            p.GetRequiredService<Database>(),
            p.GetRequiredService<MasterKey>(),
            p.GetRequiredService<TimeProvider>(),
            LogPatience
        ));
        services.AddSingleton(p => new EventCatalog(p.GetRequiredService<ModuleCatalog>().Assemblies));
        services.AddSingleton(p => new DocumentCatalog(
            p.GetRequiredService<ModuleCatalog>().Assemblies,
            p.GetRequiredService<EventCatalog>()
        ));
        services.AddSingleton<IdSource>();
        services.AddSingleton<LogSignal>();
        services.AddSingleton<RecentEvents>();
        services.AddSingleton<LogReader>();
        services.AddSingleton(p =>
        {
            var database = p.GetRequiredService<Database>();
            return new LogWriter(
                () => new LogConnection(database.Dedicated),
                p.GetRequiredService<LogSignal>(),
                p.GetRequiredService<RecentEvents>(),
                p.GetRequiredService<TimeProvider>(),
                p.GetRequiredService<ILogger<LogWriter>>(),
                LogPatience
            );
        });
        services.AddSingleton(p => new EventStore(
            p.GetRequiredService<EventCatalog>(),
            p.GetRequiredService<DocumentCatalog>(),
            p.GetRequiredService<SubjectKeys>(),
            p.GetRequiredService<LogWriter>(),
            p.GetRequiredService<LogReader>()
        ));
        services.AddSingleton(p => new Subjects(
            p.GetRequiredService<Database>(),
            p.GetRequiredService<SubjectKeys>(),
            p.GetRequiredService<DocumentCatalog>(),
            p.GetRequiredService<DocumentRepair>(),
            p.GetServices<IErasureStep>(),
            p.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton(p => new PersonalDays(
            p.GetRequiredService<Database>(),
            p.GetRequiredService<EventStore>(),
            p.GetRequiredService<SubjectKeys>(),
            p.GetRequiredService<Subjects>(),
            p.GetRequiredService<IdSource>()
        ));
        services.AddSingleton(p => new BlindIndex(p.GetRequiredService<SubjectKeys>()));
        services.AddSingleton(p => new PersonalBytes(p.GetRequiredService<SubjectKeys>()));
        services.AddSingleton(p => new EventReader(
            p.GetRequiredService<EventCatalog>(),
            p.GetRequiredService<SubjectKeys>()
        ));
        services.AddSingleton<DocumentRepair>();
        services.AddSingleton<DocumentUpgrade>();
        services.AddSingleton(p => new DocumentStore(
            p.GetRequiredService<Database>(),
            p.GetRequiredService<EventStore>(),
            p.GetRequiredService<DocumentCatalog>()
        ));
    }

    private static void AddEvidence(IServiceCollection services)
    {
        services.AddSingleton<CheckpointKeys>();
        services.AddSingleton<TreeSealer>();
        services.AddHostedService(p => p.GetRequiredService<TreeSealer>());
        services.AddSingleton<AnchorTargets>();
        services.AddHostedService<CheckpointAnchor>();
        services.AddSingleton(p => new TreeReader(p.GetRequiredService<Database>()));
    }

    private static void AddMessaging(IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(p => new SubscriptionCatalog(
            p.GetRequiredService<ModuleCatalog>(),
            p.GetRequiredService<EventCatalog>()
        ));
        services.AddSingleton<RunningInstance>();
        services.AddSingleton<MessagingMeters>();
        services.AddSingleton<SubscriptionContext>();
        services.AddSingleton(p => new SubscriptionStates(
            p.GetRequiredService<Database>(),
            p.GetRequiredService<SubscriptionCatalog>()
        ));
        services.AddSingleton(p => new DeadLetters(p.GetRequiredService<Database>()));
        var jobs = JobSettings.Read(configuration);
        services.AddSingleton(jobs);
        // The web server's own requests end within the same time.
        services.Configure<HostOptions>(host => host.ShutdownTimeout = jobs.Drain + ShutdownMargin);
        services.AddSingleton(p => new JobCatalog(p.GetRequiredService<ModuleCatalog>()));
        services.AddSingleton(p => new JobEnqueuer(
            p.GetRequiredService<JobCatalog>(),
            p.GetRequiredService<IdSource>()
        ));
        services.AddSingleton(p => new JobRecords(p.GetRequiredService<Database>()));
        services.AddHostedService<JobRunner>();
        services.AddSingleton(p => new Projections(
            p.GetRequiredService<Database>(),
            p.GetRequiredService<SubscriptionCatalog>()
        ));
        services.AddHostedService<ProjectionBuilder>();
        services.AddHostedService<SubscriptionRunner>();
        services.AddHostedService(p => new LogTail(
            p.GetServices<ILogObserver>(),
            p.GetRequiredService<EventCatalog>(),
            p.GetRequiredService<EventReader>(),
            p.GetRequiredService<Database>(),
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<LogTail>>()
        ));
    }

    private static void AddHttp(IServiceCollection services)
    {
        services.AddApiDescription();
        services.AddSingleton<IdempotentRequests>();
        services.AddExceptionHandler<ExceptionHandler>();
        services.AddProblemDetails(options =>
            options.CustomizeProblemDetails = problem =>
            {
                problem.ProblemDetails.Extensions["requestId"] = RequestId.Of(problem.HttpContext);
                // The framework's own validation problems come without a code.
                if (problem.ProblemDetails is HttpValidationProblemDetails validation)
                {
                    validation.Extensions.TryAdd("code", Errors.ValidationFailed.Code);
                    // Named as the caller wrote them, not as the C# property is called.
                    validation.Errors = validation.Errors.ToDictionary(
                        e => JsonNamingPolicy.CamelCase.ConvertName(e.Key),
                        e => e.Value,
                        StringComparer.Ordinal
                    );
                }
            }
        );
        // So that a body that cannot be read is answered in the one place that answers exceptions.
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.AddAuthorization();
        services.ConfigureHttpJsonOptions(options =>
        {
            // A misspelt field is told to the caller, not ignored.
            options.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
            options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            options.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase));
        });
    }
}
