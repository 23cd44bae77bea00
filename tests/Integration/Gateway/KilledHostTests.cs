using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway;

/// <summary>The server as a user runs it, a process with its private Postgres, killed in the middle of its work.</summary>
public sealed partial class KilledHostTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_kill_in_the_middle_of_100_calls_every_answer_is_on_record_and_every_open_intent_is_unknown()
    {
        using var home = new TemporaryHome();
        var answered = new List<Guid>();
        string key;
        await using (var first = await RunningHost.StartAsync(home.Path, Cancellation))
        {
            key = PrintedKey().Match(first.Output).Value;
            using var client = first.Client(key);
            var calls = Enumerable
                .Range(0, 100)
                .Select(i => CallAsync(client, $"simulator:delay={i * 20}ms", answered))
                .ToList();
            // Half have been answered, the others are on their way or at the simulator.
            while (Count(answered) < 40)
                await Task.WhenAny(calls.Where(c => !c.IsCompleted));
            first.Kill();
            await Task.WhenAll(calls);
        }
        Assert.InRange(answered.Count, 40, 99);

        await using var second = await RunningHost.StartAsync(home.Path, Cancellation);
        Assert.DoesNotMatch(PrintedKey(), second.Output);
        using var auditor = second.Client(key);
        var statuses = new Dictionary<Guid, string>();
        string? cursor = null;
        do
        {
            var page = (
                await auditor.GetFromJsonAsync<JsonNode>(
                    $"/api/audit/streams?type=inference&limit=50{cursor}",
                    Cancellation
                )
            )!;
            foreach (var stream in page["data"]!.AsArray())
            {
                var id = stream!["streamId"]!.GetValue<Guid>();
                var state = await auditor.GetFromJsonAsync<JsonNode>($"/api/audit/streams/{id}/state", Cancellation);
                statuses.Add(id, state!["state"]!["status"]!.GetValue<string>());
            }
            cursor = page["nextCursor"] is { } next ? "&cursor=" + next.GetValue<string>() : null;
        } while (cursor is not null);

        Assert.All(answered, id => Assert.Equal("completed", statuses[id]));
        Assert.Contains("unknown", statuses.Values);
        Assert.DoesNotContain("started", statuses.Values);
    }

    private static int Count(List<Guid> answered)
    {
        lock (answered)
            return answered.Count;
    }

    private static async Task CallAsync(HttpClient client, string model, List<Guid> answered)
    {
        try
        {
            using var answer = await client.PostAsJsonAsync(
                "/v1/chat/completions",
                new { model, messages = new[] { new { role = "user", content = "Hello" } } },
                Cancellation
            );
            await answer.Content.ReadAsByteArrayAsync(Cancellation);
            lock (answered)
                answered.Add(Guid.Parse(answer.Headers.GetValues(GatewayHost.InferenceIdHeader).Single()));
        }
        catch (HttpRequestException)
        {
            // The server was killed before it answered this one.
        }
    }

    [GeneratedRegex("vk_[A-Za-z0-9]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex PrintedKey();

    private sealed class RunningHost(Process process, Uri address, System.Text.StringBuilder output) : IAsyncDisposable
    {
        public string Output
        {
            get
            {
                lock (output)
                    return output.ToString();
            }
        }

        public static async Task<RunningHost> StartAsync(string home, CancellationToken cancellationToken)
        {
            var address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort()}/"));
            var program = Path.Combine(AppContext.BaseDirectory, "Verbatim.Host.dll");
            var process = Process.Start(
                new ProcessStartInfo("dotnet", [program, "--urls", address.ToString()])
                {
                    UseShellExecute = false,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                    Environment = { ["VERBATIM_HOME"] = home, ["OPENAI_API_KEY"] = "" },
                }
            )!;
            var output = new System.Text.StringBuilder();
            var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            void Keep(string? line)
            {
                lock (output)
                    output.AppendLine(line);
                if (line is null)
                    ready.TrySetException(new InvalidOperationException($"Host ended:\n{output}"));
                else if (line.StartsWith("Verbatim is ready", StringComparison.Ordinal))
                    ready.TrySetResult();
            }
            process.OutputDataReceived += (_, e) => Keep(e.Data);
            process.ErrorDataReceived += (_, e) => Keep(e.Data ?? "");
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            await ready.Task.WaitAsync(cancellationToken);
            return new RunningHost(process, address, output);
        }

        public HttpClient Client(string key) =>
            new()
            {
                BaseAddress = address,
                DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
            };

        // SIGKILL: nothing of it is run any more.
        public void Kill() => process.Kill();

        // In order, unless it was killed: its Postgres must have ended before their folder is removed.
        public async ValueTask DisposeAsync()
        {
            if (!process.HasExited)
            {
                using var stop = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
                await stop.WaitForExitAsync(CancellationToken.None);
            }
            await process.WaitForExitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
            process.Dispose();
        }

        private static int FreePort()
        {
            using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
            listener.Start();
            return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        }
    }
}
