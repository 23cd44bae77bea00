using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using Verbatim.Platform.Modules;
using Handler = System.Func<
    object,
    object,
    System.IServiceProvider,
    System.Threading.CancellationToken,
    System.Threading.Tasks.Task
>;

namespace Verbatim.Platform.Messaging.Jobs;

/// <summary>A sort of job: its name, its payload, and its handler.</summary>
internal sealed class JobShape
{
    private const int MaxNameLength = 80;
    private readonly Handler _handler;

    /// <exception cref="InvalidOperationException">The declaration is incomplete.</exception>
    public JobShape(Type type)
    {
        var declared = type.GetCustomAttribute<JobAttribute>()!;
        Name = declared.Name;
        Queue = declared.Queue;
        Concurrency = InRange(type, declared.Concurrency, 100, nameof(declared.Concurrency));
        MaxAttempts = InRange(type, declared.MaxAttempts, 1000, nameof(declared.MaxAttempts));
        if (!IsName(Name) || !Name.Contains('.', StringComparison.Ordinal) || !IsName(Queue))
            throw new InvalidOperationException(
                $"{type} is the job '{Name}' of the queue '{Queue}'; valid is module.what-it-does, and both in lower case with hyphens."
            );
        if (
            HandlerMethod.Of(type).ToList() is not [var method]
            || method.ReturnType != typeof(Task)
            || method.GetParameters() is not [{ ParameterType: { IsClass: true } payload }, ..]
        )
            throw new InvalidOperationException(
                $"{type} is a [Job] and needs one static HandleAsync method, which returns Task and takes the job's payload, a record, first."
            );
        PayloadType = payload;
        _handler = HandlerMethod.Compile(method, typeof(JobContext));
    }

    public string Name { get; }

    public string Queue { get; }

    public int Concurrency { get; }

    public int MaxAttempts { get; }

    public Type PayloadType { get; }

    public Task HandleAsync(
        object payload,
        JobContext context,
        IServiceProvider services,
        CancellationToken cancellationToken
    ) => _handler(payload, context, services, cancellationToken);

    private static bool IsName(string name) =>
        name.Length is > 0 and <= MaxNameLength
        && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '.');

    private static int InRange(Type type, int value, int max, string setting) =>
        value >= 1 && value <= max
            ? value
            : throw new InvalidOperationException($"{type} has {setting} = {value}; valid is 1 to {max}.");
}

/// <summary>All sorts of jobs, found in the modules' assemblies.</summary>
internal sealed class JobCatalog
{
    private readonly FrozenDictionary<string, JobShape> _byName;
    private readonly FrozenDictionary<Type, JobShape> _byPayload;

    public JobCatalog(ModuleCatalog modules)
        : this(modules.Assemblies.SelectMany(a => a.GetTypes())) { }

    internal JobCatalog(IEnumerable<Type> types)
    {
        var shapes = types.Where(t => t.IsDefined(typeof(JobAttribute))).Select(t => new JobShape(t)).ToList();
        if (shapes.GroupBy(s => s.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Skip(1).Any()) is { } twice)
            throw new InvalidOperationException($"The job '{twice.Key}' is declared {twice.Count()} times.");
        if (shapes.GroupBy(s => s.PayloadType).FirstOrDefault(g => g.Skip(1).Any()) is { } shared)
            throw new InvalidOperationException(
                $"{shared.Key} is the payload of {string.Join(" and ", shared.Select(s => $"'{s.Name}'"))}; a job has one of its own."
            );
        _byName = shapes.ToFrozenDictionary(s => s.Name, StringComparer.Ordinal);
        _byPayload = shapes.ToFrozenDictionary(s => s.PayloadType);
        Queues =
        [
            .. shapes
                .GroupBy(s => s.Queue, StringComparer.Ordinal)
                .Select(g => (g.Key, g.Max(s => s.Concurrency), (string[])[.. g.Select(s => s.Name)])),
        ];
    }

    /// <summary>How payloads are written.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web);

    /// <summary>The queues, how many jobs of each an instance runs, and which.</summary>
    public IReadOnlyList<(string Name, int Concurrency, string[] Types)> Queues { get; }

    public JobShape? Find(string name) => _byName.GetValueOrDefault(name);

    /// <exception cref="InvalidOperationException">No job takes such a payload.</exception>
    public JobShape Of(Type payload) =>
        _byPayload.GetValueOrDefault(payload)
        ?? throw new InvalidOperationException($"No [Job] of a module that the Host names takes a {payload.Name}.");
}
