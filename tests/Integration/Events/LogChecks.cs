using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Integration.Events;

/// <summary>What must be true of every log, told without the product's own code where that would prove nothing.</summary>
internal static class LogChecks
{
    /// <summary>Dense positions, time that never falls, dense versions, and hashes that fit.</summary>
    public static void AssertSound(IReadOnlyList<RecordedEvent> log)
    {
        var versions = new Dictionary<(Guid, Guid), long>();
        for (var i = 0; i < log.Count; i++)
        {
            var recorded = log[i];
            Assert.Equal(log[0].Position + i, recorded.Position);
            if (i > 0)
                Assert.True(recorded.Time >= log[i - 1].Time, $"time falls at position {recorded.Position}");
            var stream = (recorded.TenantId, recorded.StreamId);
            var expected = versions.TryGetValue(stream, out var last) ? last + 1 : recorded.Version;
            Assert.Equal(expected, recorded.Version);
            versions[stream] = recorded.Version;
            Assert.Equal(Convert.ToHexString(LeafHash(recorded)), Convert.ToHexString(recorded.LeafHash.Span));
        }
    }

    /// <summary>docs/event-log.md, "The leaf", followed field by field.</summary>
    public static byte[] LeafHash(RecordedEvent recorded)
    {
        using var leaf = new MemoryStream();
        leaf.WriteByte(0x00);
        leaf.WriteByte(0x01);
        U64(recorded.Position);
        leaf.Write(Convert.FromHexString(recorded.TenantId.ToString("N")));
        leaf.Write(Convert.FromHexString(recorded.StreamId.ToString("N")));
        Text(recorded.StreamType);
        U64(recorded.Version);
        Text(recorded.Type);
        U16(recorded.TypeVersion);
        U64((recorded.Time.UtcDateTime - DateTime.UnixEpoch).Ticks / 10);
        Text(recorded.Actor);
        Text(recorded.Correlation);
        U16(recorded.Data.Length >> 16);
        U16(recorded.Data.Length & 0xffff);
        leaf.Write(recorded.Data.Span);
        return SHA256.HashData(leaf.ToArray());

        void U16(int value)
        {
            leaf.WriteByte((byte)(value >> 8));
            leaf.WriteByte((byte)value);
        }

        void U64(long value)
        {
            var bytes = new byte[8];
            BinaryPrimitives.WriteInt64BigEndian(bytes, value);
            leaf.Write(bytes);
        }

        void Text(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            U16(bytes.Length);
            leaf.Write(bytes);
        }
    }
}
