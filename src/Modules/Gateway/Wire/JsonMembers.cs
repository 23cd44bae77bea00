using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>A member of an object.</summary>
/// <param name="Name">Its name, which needs no escapes.</param>
/// <param name="Value">Its value as JSON; empty: the member is not to be there.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct JsonMember(string Name, ReadOnlyMemory<byte> Value)
{
    /// <summary>A member whose value is a text.</summary>
    public static JsonMember OfText(string name, string text) => new(name, JsonSerializer.SerializeToUtf8Bytes(text));

    /// <summary>A member that is not to be there.</summary>
    public static JsonMember Without(string name) => new(name, default);
}

/// <summary>Puts other values in the place of some of an object's members. What is not named stays as it is, byte by byte.</summary>
internal static class JsonMembers
{
    /// <summary>An object, which has been found well-formed, with these members.</summary>
    public static byte[] With(ReadOnlySpan<byte> json, params ReadOnlySpan<JsonMember> members)
    {
        var output = new ArrayBufferWriter<byte>(json.Length + 64);
        var written = new bool[members.Length];
        output.Write("{"u8);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            var start = (int)reader.TokenStartIndex;
            var given = IndexOf(members, ref reader);
            reader.Read();
            reader.Skip();
            if (given < 0)
                WriteMember(output, json[start..(int)reader.BytesConsumed]);
            else if (!written[given])
                Write(output, members[given], ref written[given]);
        }
        for (var i = 0; i < members.Length; i++)
        {
            if (!written[i])
                Write(output, members[i], ref written[i]);
        }
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();
    }

    private static int IndexOf(scoped ReadOnlySpan<JsonMember> members, scoped ref Utf8JsonReader reader)
    {
        for (var i = 0; i < members.Length; i++)
        {
            if (JsonNames.Is(ref reader, Encoding.UTF8.GetBytes(members[i].Name)))
                return i;
        }
        return -1;
    }

    private static void Write(ArrayBufferWriter<byte> output, in JsonMember member, ref bool isWritten)
    {
        isWritten = true;
        if (!member.Value.IsEmpty)
            WriteMember(output, [(byte)'"', .. Encoding.UTF8.GetBytes(member.Name), .. "\":"u8, .. member.Value.Span]);
    }

    private static void WriteMember(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> member)
    {
        if (output.WrittenCount > 1)
            output.Write(","u8);
        output.Write(member);
    }
}
