using System.Buffers;
using System.Text.Json;

namespace Verbatim.Evidence;

/// <summary>
/// The lines of an export of chosen events, JSON objects each: a begin with the checkpoint that all of them are proven against, the events in
/// the order of the log, and an end. As with <see cref="ExportLine"/> there is exactly one way to write each line.
/// </summary>
public static class SelectionLine
{
    /// <summary>Stands in the first line, and changes with the format.</summary>
    public const string Format = "verbatim-selection/1";

    /// <summary>The first line.</summary>
    /// <param name="output">Where it goes, with a line feed.</param>
    /// <param name="note">The signed checkpoint.</param>
    public static void WriteBegin(IBufferWriter<byte> output, string note) =>
        ExportLine.Write(
            output,
            json =>
            {
                json.WriteString("format", Format);
                json.WriteString("checkpoint", note);
            }
        );

    /// <summary>An event with its proof.</summary>
    /// <param name="output">Where it goes, with a line feed.</param>
    /// <param name="header">All but the data.</param>
    /// <param name="data">UTF-8.</param>
    /// <param name="leafHash">The hash that was recorded.</param>
    /// <param name="proof">
    /// What <see cref="MerkleTree.ProveInclusionBehind"/> gives, behind the event of the line before. It is written as one base64 text.
    /// </param>
    public static void WriteEvent(
        IBufferWriter<byte> output,
        LeafHeader header,
        ReadOnlyMemory<byte> data,
        ReadOnlyMemory<byte> leafHash,
        IReadOnlyList<byte[]> proof
    )
    {
        ArgumentNullException.ThrowIfNull(proof);
        ExportLine.Write(
            output,
            json =>
            {
                ExportLine.WriteEvent(json, header, data, leafHash);
                WriteProof(json, proof);
            }
        );
    }

    /// <summary>The last line.</summary>
    /// <param name="output">Where it goes, with a line feed.</param>
    /// <param name="end">How far the log was looked through: the position behind which the next export goes on.</param>
    /// <param name="events">How many there are.</param>
    /// <param name="hasMore">More was asked for than one export gives; otherwise the whole of what the checkpoint covers was looked through.</param>
    public static void WriteEnd(IBufferWriter<byte> output, long end, long events, bool hasMore) =>
        ExportLine.Write(
            output,
            json =>
            {
                json.WriteNumber("end", end);
                json.WriteNumber("events", events);
                json.WriteBoolean("hasMore", hasMore);
            }
        );

    private static void WriteProof(Utf8JsonWriter json, IReadOnlyList<byte[]> proof)
    {
        var bytes = new byte[proof.Count * MerkleTree.HashSize];
        for (var i = 0; i < proof.Count; i++)
            proof[i].CopyTo(bytes, i * MerkleTree.HashSize);
        json.WriteBase64String("proof", bytes);
    }
}
