using System.Globalization;
using Microsoft.Extensions.Configuration;
using Verbatim.Platform.Configuration;

namespace Verbatim.Platform.Messaging.Jobs;

/// <summary>The settings under <c>Jobs</c>.</summary>
/// <param name="Drain">How long jobs that run may go on when the instance shuts down.</param>
/// <param name="Keep">How long finished jobs, and closed dead letters, can be looked at.</param>
/// <param name="Queues">What differs from what the jobs themselves say, by queue.</param>
internal sealed record JobSettings(TimeSpan Drain, TimeSpan Keep, IReadOnlyDictionary<string, QueueSettings> Queues)
{
    public static readonly JobSettings Default = new(
        TimeSpan.FromSeconds(20),
        TimeSpan.FromDays(7),
        new Dictionary<string, QueueSettings>(StringComparer.Ordinal)
    );

    /// <exception cref="SettingException">A value is not valid.</exception>
    public static JobSettings Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Jobs");
        return new JobSettings(
            TimeSpan.FromSeconds(Number(section, "DrainSeconds", 0, 600) ?? (int)Default.Drain.TotalSeconds),
            TimeSpan.FromDays(Number(section, "KeepDays", 1, 3650) ?? (int)Default.Keep.TotalDays),
            section
                .GetSection("Queues")
                .GetChildren()
                .ToDictionary(
                    q => q.Key,
                    q => new QueueSettings(Number(q, "Concurrency", 1, 1000), Number(q, "Limit", 1, 100_000)),
                    StringComparer.Ordinal
                )
        );
    }

    private static int? Number(IConfigurationSection section, string name, int min, int max)
    {
        var text = section[name];
        if (string.IsNullOrEmpty(text))
            return null;
        return
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= min
            && number <= max
            ? number
            : throw new SettingException(
                $"{section.Path}:{name} is '{text}'; valid is a whole number from {min} to {max}."
            );
    }
}

/// <summary>The settings under <c>Jobs:Queues:&lt;name&gt;</c>.</summary>
/// <param name="Concurrency">How many of its jobs an instance runs at a time.</param>
/// <param name="Limit">How many all instances run together; null for no limit.</param>
internal sealed record QueueSettings(int? Concurrency, int? Limit);
