using System.Collections.Frozen;
using System.Text.Json;

namespace Verbatim.Tests.Upstream.Commands;

/// <summary>
/// Reads commands from the two places that pass through a gateway untouched: an unknown top-level field of the body,
/// and the name of the model.
/// </summary>
internal static class CommandReader
{
    private const string HeaderPrefix = "header.";

    /// <summary>Reads commands beside the body: <c>status=429,retry-after=3</c> or JSON.</summary>
    public static CommandSet ReadText(string text, CommandSet commands)
    {
        if (text.StartsWith('{'))
        {
            using var document = ParseText(text);
            return ReadObject(document.RootElement, commands);
        }

        foreach (var command in text.Split(','))
        {
            var equals = command.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? command : command[..equals];
            // The separators themselves come percent-encoded.
            var value = equals < 0 ? null : Uri.UnescapeDataString(command[(equals + 1)..]);
            commands = name.StartsWith(HeaderPrefix, StringComparison.Ordinal)
                ? commands with
                {
                    Headers = [.. commands.Headers, CommandTable.ReadHeader(name[HeaderPrefix.Length..], value ?? "")],
                }
                : Apply(commands, name.Replace('-', '_'), new CommandValue(name, value));
        }

        return commands;
    }

    /// <summary>
    /// Reads all commands of a request: beside the body, in the model's name, in the body. The later have the last
    /// word.
    /// </summary>
    public static (string Model, CommandSet Commands) Read(
        in WireRequest request,
        string model,
        ReadOnlySpan<byte> json = default
    )
    {
        // A deployment's name commands too, and the provider is the one whose path it is.
        var commands = CommandSet.None;
        if (request.Deployment is { } deployment)
        {
            commands = commands with { As = Provider.Azure };
            var mark = deployment.IndexOf('@', StringComparison.Ordinal);
            if (mark >= 0)
                commands = ReadText(deployment[(mark + 1)..], commands);
        }

        if (request.CommandsBesideTheBody() is { Length: > 0 } beside)
            commands = ReadText(beside, commands);
        var at = model.IndexOf('@', StringComparison.Ordinal);
        var name = at < 0 ? model : model[..at];
        if (at >= 0)
            commands = ReadText(model[(at + 1)..], commands);
        return (name, Check(ReadBody(json, commands, request.Attempts)));
    }

    /// <summary>Refuses commands that mean nothing for an answer, so that no test passes by one that was not obeyed.</summary>
    public static void Refuse(CommandSet commands, string answer, FrozenSet<string> meaningless)
    {
        foreach (var name in commands.Names)
        {
            if (meaningless.Contains(name))
                throw new WrongCommandException(name, $"The command '{name}' means nothing for {answer}.");
        }
    }

    /// <summary>
    /// Reads the field <c>x_upstream</c> over the other commands. Of <c>attempts</c> it takes the item of this
    /// request, counted by marker; when <c>times</c> has run out, no command is left.
    /// </summary>
    private static CommandSet ReadBody(ReadOnlySpan<byte> json, CommandSet commands, AttemptCounter? counter)
    {
        if (!json.IsEmpty)
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            commands = ReadObject(document.RootElement, commands);
        }

        return ForThisAttempt(commands, commands.Attempts, counter);
    }

    private static CommandSet ReadObject(JsonElement json, CommandSet commands)
    {
        foreach (var (name, value) in CommandTable.Properties(json, "x_upstream"))
        {
            commands = name is "attempts"
                ? commands with
                {
                    Attempts = value.Clone(),
                }
                : Apply(commands, name, new CommandValue(name, value));
        }

        return commands;
    }

    private static JsonDocument ParseText(string text)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            throw new WrongCommandException("x_upstream", "The commands beside the body are no JSON.");
        }
    }

    /// <summary>Refuses commands that contradict each other.</summary>
    private static CommandSet Check(CommandSet commands)
    {
        RefuseSeveral(
            ("text", commands.Text is not null),
            ("chunk_text", commands.ChunkText is not null),
            ("bytes", commands.Bytes is not null),
            ("echo", commands.Echo),
            ("body", commands.Body is not null)
        );
        RefuseSeveral(
            ("cut_after", commands.CutAfter is not null),
            ("close_after", commands.CloseAfter is not null),
            ("stall_after", commands.StallAfter is not null),
            ("end_after", commands.EndAfter is not null)
        );
        if (commands.EndAfter == Position.Request)
            throw new WrongCommandException("end_after", "The command 'end_after' cannot end what has not begun.");
        return commands;
    }

    private static CommandSet ForThisAttempt(CommandSet commands, JsonElement attempts, AttemptCounter? counter)
    {
        var counts = commands.Times is not null || attempts.ValueKind is not JsonValueKind.Undefined;
        if (!counts && commands.HoldAfter.Count is 0)
            return commands;

        var command =
            commands.Times is not null ? "times"
            : counts ? "attempts"
            : "hold_after";
        if (counter is null)
            throw new WrongCommandException(
                command,
                $"The command '{command}' works only where requests are recorded."
            );
        if (!counts)
            return commands;
        if (commands.Marker is null)
        {
            throw new WrongCommandException(
                command,
                $"The command '{command}' needs a 'marker', by which the requests are counted."
            );
        }

        var attempt = counter.Next(commands.Marker);
        if (attempt > commands.Times)
            return CommandSet.None;
        return attempts.ValueKind is JsonValueKind.Undefined ? commands : ReadAttempt(commands, attempts, attempt);
    }

    private static CommandSet ReadAttempt(CommandSet commands, JsonElement attempts, int attempt)
    {
        if (attempts.ValueKind is not JsonValueKind.Array || attempts.GetArrayLength() is 0)
            throw new CommandValue("attempts", attempts).Wrong("an array of objects with commands");
        var item = attempts[Math.Min(attempt, attempts.GetArrayLength()) - 1];
        foreach (var (name, value) in CommandTable.Properties(item, "attempts"))
            commands = Apply(commands, name, new CommandValue(name, value));
        return commands;
    }

    private static CommandSet Apply(CommandSet commands, string name, CommandValue value) =>
        CommandTable.Known.TryGetValue(name, out var apply)
            ? apply(commands, value) with
            {
                Names = [.. commands.Names, name],
            }
            : throw new WrongCommandException(
                name,
                $"There is no command '{name}'. There are: {string.Join(", ", CommandTable.Known.Keys.Append("attempts").Order(StringComparer.Ordinal))}."
            );

    private static void RefuseSeveral(params ReadOnlySpan<(string Name, bool Given)> commands)
    {
        string? first = null;
        foreach (var (name, given) in commands)
        {
            if (given && first is not null)
            {
                throw new WrongCommandException(name, $"The commands '{first}' and '{name}' exclude each other.");
            }

            if (given)
                first = name;
        }
    }
}
