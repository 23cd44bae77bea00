using System.Security.Cryptography;
using Verbatim.Evidence;

namespace Verbatim.Tests.Unit.Evidence;

public sealed class CheckpointTests : IDisposable
{
    private readonly ECDsa _private = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly NoteKey _key;
    private readonly Checkpoint _checkpoint = new("example.com/log", 4811, SHA256.HashData([1]));

    public CheckpointTests() => _key = NoteKey.Create("example.com/log", _private.ExportSubjectPublicKeyInfo());

    public void Dispose() => _private.Dispose();

    [Fact]
    public void A_signed_checkpoint_is_read_back()
    {
        var note = _checkpoint.Sign(_key, _private).ToString();

        Assert.True(Checkpoint.TryOpen(note, [_key], out var read, out _));
        Assert.Equal((_checkpoint.Origin, _checkpoint.Size), (read.Origin, read.Size));
        Assert.True(_checkpoint.Root.Span.SequenceEqual(read.Root.Span));
        Assert.StartsWith("example.com/log\n4811\n", note, StringComparison.Ordinal);
        Assert.Contains("\n\n— example.com/log ", note, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_is_read_back_from_its_text()
    {
        Assert.True(NoteKey.TryParse(_key.ToString(), out var read));
        Assert.Equal(_key.ToString(), read.ToString());
        Assert.Equal(SHA256.HashData(_private.ExportSubjectPublicKeyInfo())[..4], read.Id.ToArray());
    }

    [Fact]
    public void No_byte_of_a_note_can_be_changed()
    {
        var note = _checkpoint.Sign(_key, _private).ToString();
        var accepted = new List<int>();
        for (var i = 0; i < note.Length; i++)
        {
            var changed = note[..i] + (char)(note[i] == 'A' ? 'B' : 'A') + note[(i + 1)..];
            if (Checkpoint.TryOpen(changed, [_key], out _, out var problem))
                accepted.Add(i);
            else
                Assert.NotEmpty(problem);
        }
        Assert.Empty(accepted);
    }

    [Fact]
    public void Another_log_s_key_is_not_believed()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var otherKey = NoteKey.Create("example.com/log", other.ExportSubjectPublicKeyInfo());
        var note = _checkpoint.Sign(otherKey, other).ToString();

        Assert.False(Checkpoint.TryOpen(note, [_key], out _, out var problem));
        Assert.Contains("by none of the keys", problem, StringComparison.Ordinal);
        Assert.True(Checkpoint.TryOpen(note, [_key, otherKey], out _, out _));
    }

    [Fact]
    public void Signatures_of_unknown_keys_are_passed_over_and_a_wrong_one_of_a_known_key_is_not()
    {
        using var witness = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var witnessKey = NoteKey.Create("witness.example", witness.ExportSubjectPublicKeyInfo());
        var own = _checkpoint.Sign(_key, _private);
        var both = own with { Signatures = [.. own.Signatures, .. _checkpoint.Sign(witnessKey, witness).Signatures] };
        var wrong = own with
        {
            Signatures =
            [
                .. own.Signatures,
                new NoteSignature(witnessKey.Name, witnessKey.Id, own.Signatures[0].Signature),
            ],
        };

        Assert.True(Checkpoint.TryOpen(both.ToString(), [_key], out _, out _));
        Assert.True(Checkpoint.TryOpen(wrong.ToString(), [_key], out _, out _));
        Assert.False(Checkpoint.TryOpen(wrong.ToString(), [_key, witnessKey], out _, out var problem));
        Assert.Contains("witness.example", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("a\n1\nAAAA\n")]
    [InlineData("a\n1\nAAAA\n\n")]
    [InlineData("a\n1\nAAAA\n\nname AAAA\n")]
    [InlineData("a\n1\nAAAA\n\n— name AAAA\n")]
    [InlineData("a\n1\nAAAA\n\n— na+me AAAAAAAAAA==\n")]
    [InlineData("a\n1\nAAAA\n\n— name AAAAAAAAAA==")]
    [InlineData("a\r\n1\nAAAA\n\n— name AAAAAAAAAA==\n")]
    public void What_is_no_note_is_refused_with_a_reason(string note)
    {
        Assert.False(SignedNote.TryParse(note, out _, out var problem));
        Assert.NotEmpty(problem);
    }

    [Theory]
    [InlineData("example.com/log\n04811\n{root}\n")]
    [InlineData("example.com/log\n-1\n{root}\n")]
    [InlineData("example.com/log\n{root}\n")]
    [InlineData("\n4811\n{root}\n")]
    [InlineData("example.com/log\n4811\nAAAA\n")]
    public void A_signed_text_that_is_no_checkpoint_is_refused(string text)
    {
        text = text.Replace("{root}", Convert.ToBase64String(_checkpoint.Root.Span), StringComparison.Ordinal);
        var signature = _private.SignData(
            System.Text.Encoding.UTF8.GetBytes(text),
            HashAlgorithmName.SHA256,
            DSASignatureFormat.Rfc3279DerSequence
        );
        var note = new SignedNote(text, [new NoteSignature(_key.Name, _key.Id, signature)]).ToString();

        Assert.False(Checkpoint.TryOpen(note, [_key], out _, out var problem));
        Assert.NotEmpty(problem);
    }

    [Theory]
    [InlineData("")]
    [InlineData("example.com/log")]
    [InlineData("example.com/log+00000000+")]
    [InlineData("example.com/log+00000000+AgAA")]
    [InlineData("example.com/log+00000000+AQAA")]
    public void What_is_no_key_is_refused(string text) => Assert.False(NoteKey.TryParse(text, out _));

    [Fact]
    public void A_key_of_another_curve_or_with_another_id_is_refused()
    {
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Throws<CryptographicException>(() => NoteKey.Create("a", p384.ExportSubjectPublicKeyInfo()));

        var parts = _key.ToString().Split('+', 3);
        Assert.False(NoteKey.TryParse($"{parts[0]}+00000000+{parts[2]}", out _));
    }
}
