using System.Globalization;
using System.Text;
using System.Text.Json;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.Files;

/// <summary>
/// Finds the files that a request names: <c>file_id</c> and <c>file_ids</c>, which all wires call them by. What is data of the caller's own (the schema of a
/// tool, what a tool was called with, metadata) is not looked into: no provider takes a file from there.
/// </summary>
internal static class FileReferences
{
    /// <summary>The most files that one request may name.</summary>
    public const int MaxCount = 1000;

    /// <summary>The references in a body that was found to be JSON, at the most one more than are allowed.</summary>
    public static IReadOnlyList<FileReference> Find(Operation operation, ReadOnlySpan<byte> body)
    {
        if (!MayHaveAny(body))
            return [];
        var walk = new Walk(operation);
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = WireRequest.MaxDepth });
        reader.Read();
        walk.Value(ref reader);
        return walk.Found;
    }

    // A name may be written with escapes: of the letters of file_id all are \u005f or \u006x.
    private static bool MayHaveAny(ReadOnlySpan<byte> body)
    {
        if (body.IndexOf("file_id"u8) >= 0)
            return true;
        for (int at; (at = body.IndexOf("\\u00"u8)) >= 0; body = body[(at + 4)..])
        {
            if (body.Length > at + 4 && body[at + 4] is (byte)'5' or (byte)'6')
                return true;
        }
        return false;
    }

    private sealed class Walk(Operation operation)
    {
        private readonly List<object> _path = [];

        public List<FileReference> Found { get; } = [];

        // The reader stands on the first token of a value, and is left on its last.
        public void Value(ref Utf8JsonReader reader)
        {
            if (Found.Count > MaxCount)
            {
                reader.Skip();
                return;
            }
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                        Member(ref reader);
                    break;
                case JsonTokenType.StartArray:
                    for (var i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
                        Under(i, ref reader);
                    break;
                default:
                    break;
            }
        }

        private void Member(ref Utf8JsonReader reader)
        {
            var isId = JsonNames.Is(ref reader, "file_id"u8);
            var isList = JsonNames.Is(ref reader, "file_ids"u8);
            var isOwn = IsOwnData(ref reader);
            var name = NameOf(ref reader);
            reader.Read();
            if (isOwn)
            {
                reader.Skip();
            }
            else if (isId && reader.TokenType == JsonTokenType.String)
            {
                Add(ref reader, name);
            }
            else if (isList && reader.TokenType == JsonTokenType.StartArray)
            {
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    if (reader.TokenType == JsonTokenType.String)
                        Add(ref reader, name);
                    else
                        reader.Skip();
                }
            }
            else
            {
                Under(name, ref reader);
            }
        }

        // A tool_use block of messages has the arguments as an object, under a name that the responses wire has for what is asked.
        private bool IsOwnData(ref Utf8JsonReader reader) =>
            JsonNames.Is(ref reader, "metadata"u8)
            || JsonNames.Is(ref reader, "parameters"u8)
            || JsonNames.Is(ref reader, "input_schema"u8)
            || JsonNames.Is(ref reader, "schema"u8)
            || (
                operation is Operation.Messages or Operation.CountTokens
                && _path.Count > 0
                && JsonNames.Is(ref reader, "input"u8)
            );

        private void Under(object step, ref Utf8JsonReader reader)
        {
            _path.Add(step);
            Value(ref reader);
            _path.RemoveAt(_path.Count - 1);
        }

        private void Add(ref Utf8JsonReader reader, string name)
        {
            string id;
            try
            {
                id = reader.GetString()!;
            }
            catch (InvalidOperationException)
            {
                // Half of a surrogate pair: no file has such an id.
                id = "";
            }
            Found.Add(new FileReference(id, PathTo(name)));
        }

        private string PathTo(string name)
        {
            var path = new StringBuilder();
            foreach (var step in _path)
            {
                if (step is int index)
                    path.Append('[').Append(index.ToString(CultureInfo.InvariantCulture)).Append(']');
                else
                    path.Append(path.Length > 0 ? "." : "").Append(step);
            }
            return path.Append(path.Length > 0 ? "." : "").Append(name).ToString();
        }

        private static string NameOf(ref Utf8JsonReader reader)
        {
            try
            {
                return reader.GetString()!;
            }
            catch (InvalidOperationException)
            {
                return "?";
            }
        }
    }
}

/// <summary>A file that a request names.</summary>
/// <param name="Id">The provider's id of it.</param>
/// <param name="Parameter">Where the request says so: <c>messages[0].content[1].file.file_id</c>.</param>
internal sealed record FileReference(string Id, string Parameter);
