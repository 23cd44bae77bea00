using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Verbatim.Tests.EndToEnd.Support;

/// <summary>An application of somebody's, on another origin.</summary>
internal sealed class ListeningApplication(WebApplication server) : IAsyncDisposable
{
    private readonly List<IReadOnlyDictionary<string, string>> _visits = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public string Callback => server.Urls.Single() + "/callback";

    public int Visits => _visits.Count;

    public IReadOnlyDictionary<string, string> Last => _visits[^1];

    public static async Task<ListeningApplication> StartAsync()
    {
        var server = WebApplication.CreateSlimBuilder().Build();
        server.Urls.Add("http://127.0.0.1:0");
        var application = new ListeningApplication(server);
        server.MapGet(
            "/callback",
            (HttpRequest request) =>
            {
                application._visits.Add(
                    request.Query.ToDictionary(q => q.Key, q => q.Value.ToString(), StringComparer.Ordinal)
                );
                return Results.Content(
                    "<!doctype html><link rel=icon href=data:,>The application has you back",
                    "text/html"
                );
            }
        );
        await server.StartAsync(Cancellation);
        return application;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();
}
