using System.Globalization;
using Npgsql;

namespace Verbatim.Platform.Events;

/// <summary>
/// Which documents of a list are wanted: conditions on the rows of their table, whose <c>data</c> is the document as JSON with sealed
/// values. Every value that is put into a condition becomes a parameter.
/// </summary>
/// <example>
/// <code>
/// filter.Where($"data ->> 'projectId' = {projectId}::text")
/// </code>
/// </example>
public sealed class DocumentFilter
{
    private readonly List<FormattableString> _conditions = [];

    /// <summary>Adds a condition; all of them must hold.</summary>
    public DocumentFilter Where(FormattableString condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        _conditions.Add(condition);
        return this;
    }

    /// <summary>The conditions as SQL, each after <c>and</c>; their values are added to the parameters.</summary>
    internal string Write(NpgsqlParameterCollection parameters) =>
        string.Concat(
            _conditions.Select(condition =>
            {
                var names = new object[condition.ArgumentCount];
                for (var i = 0; i < names.Length; i++)
                {
                    parameters.Add(new NpgsqlParameter { Value = condition.GetArgument(i) ?? DBNull.Value });
                    names[i] = "$" + parameters.Count.ToString(CultureInfo.InvariantCulture);
                }
                return $" and ({string.Format(CultureInfo.InvariantCulture, condition.Format, names)})";
            })
        );
}
