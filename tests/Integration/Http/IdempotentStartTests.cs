using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Logging.Abstractions;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Idempotency;
using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Http;

/// <summary>The beginning of a request that must happen once, on a connection that breaks.</summary>
public sealed class IdempotentStartTests(MigratedDatabase database) : IClassFixture<MigratedDatabase>, IAsyncLifetime
{
    private readonly TestStore _direct = new(database.ConnectionString);
    private readonly PostgresProxy _proxy = new(database.ConnectionString);
    private TestStore _store = null!;
    private int _executions;

    public ValueTask InitializeAsync()
    {
        _store = new TestStore(_proxy.ConnectionString);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _direct.DisposeAsync();
        await _proxy.DisposeAsync();
    }

    [Fact]
    public async Task A_beginning_whose_answer_was_lost_leaves_the_key_free()
    {
        var middleware = new IdempotencyMiddleware(
            _ =>
            {
                _executions++;
                return Task.CompletedTask;
            },
            new IdempotentRequests(_store.Database, TestStore.MasterKey),
            new IdSource(TimeProvider.System),
            NullLogger<IdempotencyMiddleware>.Instance
        );
        // So that there is a connection, and the next thing that is sent is the row of the next request.
        await middleware.InvokeAsync(NewRequest("the-first"));

        // The release needs a new connection, and gets one when the server has dealt with the row.
        _proxy.Pause();
        var broken = _proxy.BreakNext(PostgresProxy.Breakage.OfAnswer);
        var lost = middleware.InvokeAsync(NewRequest("the-second"));
        await broken;
        Assert.Equal(1, await CountAsync());
        _proxy.Resume();

        await Assert.ThrowsAnyAsync<Exception>(() => lost);
        Assert.Equal(0, await CountAsync());
        Assert.Equal(1, _executions);

        await middleware.InvokeAsync(NewRequest("the-second"));
        Assert.Equal(2, _executions);
    }

    private Task<long> CountAsync() =>
        _direct.QueryAsync<long>("select count(*) from platform.idempotent_requests where key = 'the-second'");

    private static DefaultHttpContext NewRequest(string key)
    {
        var caller = new Caller(
            TestStore.Context.TenantId,
            "system:test",
            Guid.CreateVersion7(),
            new HashSet<string>(StringComparer.Ordinal)
        )
        {
            Reach = Reach.Organization,
        };
        var context = new DefaultHttpContext { User = new ClaimsPrincipal(new CallerIdentity(caller, "test")) };
        context.Request.Method = HttpMethods.Post;
        context.Request.Path = "/api/things";
        context.Request.Headers[IdempotencyMiddleware.KeyHeader] = key;
        context.TraceIdentifier = "r-1";
        context.SetEndpoint(
            new RouteEndpoint(
                _ => Task.CompletedTask,
                RoutePatternFactory.Parse("/api/things"),
                0,
                new EndpointMetadataCollection(new RouteScope("things:write")),
                "things"
            )
        );
        return context;
    }
}
