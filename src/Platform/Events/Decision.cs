namespace Verbatim.Platform.Events;

/// <summary>
/// What a pure decision came to: append events, do nothing, or refuse. Made by a feature's <c>Decide</c> from the
/// present state and a request, carried out by <see cref="DocumentStore"/>.
/// </summary>
public abstract record Decision
{
    private Decision() { }

    /// <summary>The state already is what was asked for.</summary>
    public static Decision Nothing { get; } = new Appending([]);

    /// <summary>Append these events, in this order, in one transaction.</summary>
    public static Decision Append(params IReadOnlyList<IEvent> events) => new Appending(events);

    /// <summary>The rules of the business say no. Nothing is stored.</summary>
    /// <param name="kind">What sort of no; it picks the HTTP status.</param>
    /// <param name="code">Stable and machine-readable, <c>module.reason</c>.</param>
    /// <param name="message">One sentence for a person, which says what to do where something can be done.</param>
    public static Decision Refuse(RefusalKind kind, string code, string message) =>
        new Refusing(new Refusal(kind, code, message));

    /// <summary>The same, and these statements in the same transaction: for what must not be in an event, as a secret's hash.</summary>
    /// <exception cref="InvalidOperationException">The decision appends nothing.</exception>
    public Decision AlsoWriting(params IReadOnlyList<SqlWrite> writes) =>
        this is Appending { Events.Count: > 0 } appending
            ? appending with
            {
                Writes = writes,
            }
            : throw new InvalidOperationException("Only a decision that appends events has a transaction to write in.");

    internal sealed record Appending(IReadOnlyList<IEvent> Events) : Decision
    {
        public IReadOnlyList<SqlWrite> Writes { get; init; } = [];
    }

    internal sealed record Refusing(Refusal Refusal) : Decision;
}

/// <summary>Sorts of refusal, each with its HTTP status.</summary>
public enum RefusalKind
{
    /// <summary>404: there is no such thing, or it is not the caller's.</summary>
    NotFound,

    /// <summary>409: the present state does not allow it.</summary>
    Conflict,

    /// <summary>422: well-formed, but against a rule.</summary>
    Invalid,

    /// <summary>403: the caller may not.</summary>
    Forbidden,

    /// <summary>412: the state is not the one that <c>If-Match</c> named.</summary>
    Stale,
}

/// <summary>A refusal by the rules of the business.</summary>
/// <param name="Kind">What sort of no.</param>
/// <param name="Code">Stable and machine-readable, <c>module.reason</c>.</param>
/// <param name="Message">One sentence for a person.</param>
public sealed record Refusal(RefusalKind Kind, string Code, string Message);

/// <summary>A document and the version of its stream: the number of events that it was folded from.</summary>
/// <param name="Value">The state.</param>
/// <param name="Version">1 after the first event.</param>
public sealed record Versioned<T>(T Value, long Version)
    where T : class;

/// <summary>A document in a list.</summary>
/// <param name="Id">The document, and its stream.</param>
/// <param name="Value">The state.</param>
/// <param name="Version">The version of its stream.</param>
public sealed record Identified<T>(Guid Id, T Value, long Version)
    where T : class;

/// <summary>A document among those of all organizations.</summary>
/// <param name="TenantId">The organization whose it is.</param>
/// <param name="Id">The document, and its stream.</param>
/// <param name="Value">The state.</param>
/// <param name="Version">The version of its stream.</param>
public sealed record TenantDocument<T>(Guid TenantId, Guid Id, T Value, long Version)
    where T : class;

/// <summary>What came of carrying out a decision: the document as it now is, or a refusal.</summary>
public readonly struct Outcome<T>
    where T : class
{
    private readonly Versioned<T>? _document;
    private readonly Refusal? _refusal;

    internal Outcome(Versioned<T> document) => _document = document;

    internal Outcome(Refusal refusal) => _refusal = refusal;

    /// <summary>True when nothing was refused.</summary>
    public bool IsSuccess => _refusal is null;

    /// <summary>Continue with whichever it is.</summary>
    public TResult Match<TResult>(Func<Versioned<T>, TResult> success, Func<Refusal, TResult> refused)
    {
        ArgumentNullException.ThrowIfNull(success);
        ArgumentNullException.ThrowIfNull(refused);
        return _refusal is null ? success(_document!) : refused(_refusal);
    }
}
