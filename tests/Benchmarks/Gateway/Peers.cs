using System.Diagnostics;

namespace Verbatim.Tests.Benchmarks.Gateway;

/// <summary>What Verbatim is measured beside: the provider itself, nginx, and Portkey's gateway.</summary>
internal static class Peers
{
    public const string PortkeyVersion = "1.15.2";

    // Portkey answers 500 to every stream under Node 20 and later (its issue 1389): the Response of Node's own fetch is not the one that its
    // server recognizes. Wrapping it once more cures that, and costs it next to nothing.
    private const string PortkeyFix = """
        const original = globalThis.fetch;
        globalThis.fetch = async (...call) => {
          const answer = await original(...call);
          return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers: answer.headers });
        };
        """;

    public static Task<Server> StartUpstreamAsync(string folder, int port) =>
        Server.StartAsync(
            new ProcessStartInfo(
                "dotnet",
                [
                    Repository.Build("tests/Upstream", "Verbatim.Tests.Upstream.dll"),
                    "--urls",
                    $"http://127.0.0.1:{port}",
                ]
            ),
            Path.Combine(folder, "upstream.log"),
            () => Server.AcceptsAsync(port)
        );

    public static async Task<Server> StartNginxAsync(string folder, int port, int upstream)
    {
        var configuration = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(
            configuration,
            $$"""
            daemon off;
            worker_processes auto;
            pid {{folder}}/nginx.pid;
            error_log {{folder}}/nginx-error.log warn;
            events { worker_connections 4096; }
            http {
              access_log off;
              client_body_temp_path {{folder}}/body;
              proxy_temp_path {{folder}}/proxy;
              fastcgi_temp_path {{folder}}/fastcgi;
              uwsgi_temp_path {{folder}}/uwsgi;
              scgi_temp_path {{folder}}/scgi;
              keepalive_requests 10000000;
              upstream provider {
                server 127.0.0.1:{{upstream}};
                keepalive 512;
                keepalive_requests 10000000;
              }
              server {
                listen 127.0.0.1:{{port}};
                location / {
                  proxy_pass http://provider;
                  proxy_http_version 1.1;
                  proxy_set_header Connection "";
                  proxy_buffering off;
                }
              }
            }
            """
        );
        var program = File.Exists("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx";
        return await Server.StartAsync(
            new ProcessStartInfo(
                program,
                ["-c", configuration, "-p", folder, "-e", Path.Combine(folder, "nginx-error.log")]
            ),
            Path.Combine(folder, "nginx.log"),
            () => Server.AcceptsAsync(port)
        );
    }

    public static async Task<Server> StartPortkeyAsync(string folder, int port)
    {
        var home = Path.Combine(Repository.Cache, "portkey");
        var start = Path.Combine(home, "node_modules/@portkey-ai/gateway/build/start-server.js");
        if (!File.Exists(start))
            await Command.RunAsync(
                "npm",
                ["install", "--prefix", home, "--no-save", "--no-audit", $"@portkey-ai/gateway@{PortkeyVersion}"]
            );
        var fix = Path.Combine(folder, "portkey-fix.cjs");
        await File.WriteAllTextAsync(fix, PortkeyFix);
        return await Server.StartAsync(
            new ProcessStartInfo("node", ["--require", fix, start, $"--port={port}", "--headless"])
            {
                Environment = { ["NODE_ENV"] = "production" },
            },
            Path.Combine(folder, "portkey.log"),
            () => Server.AcceptsAsync(port)
        );
    }
}
