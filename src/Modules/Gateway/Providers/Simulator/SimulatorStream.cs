using System.Buffers;
using System.Runtime.InteropServices;
using Verbatim.Modules.Gateway.Wire.OpenAi;

namespace Verbatim.Modules.Gateway.Providers.Simulator;

/// <summary>
/// A streamed answer: each read gives one event, made when it is asked for, as a provider's chunks arrive one by one. The choices take
/// turns.
/// </summary>
internal sealed class SimulatorStream : SimulatedBody
{
    private const int ArgumentsPiece = 12;

    private readonly SimulatorWire _wire;
    private readonly SimulatorAnswer _answer;
    private readonly SimulatorOptions _options;
    private readonly ArrayBufferWriter<byte> _event = new(512);
    private readonly Cursor[] _cursors;
    private int _given;
    private int _events;
    private int _turn;
    private int _unfinished;
    private End _end;

    public SimulatorStream(SimulatorWire wire, SimulatorAnswer answer, SimulatorOptions options, TimeProvider time)
        : base(time)
    {
        _wire = wire;
        _answer = answer;
        _options = options;
        _cursors = new Cursor[wire.Choices];
        _unfinished = wire.Choices;
    }

    private enum Step
    {
        Role,
        Text,
        CallStart,
        Arguments,
        Finish,
        Over,
    }

    private enum End
    {
        NotYet,
        Usage,
        Done,
        Over,
    }

    protected override ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_given < _event.WrittenCount)
            return ValueTask.FromResult(Give(buffer));
        if (_end == End.Over)
            return ValueTask.FromResult(0);
        if (_events == _options.CutAfter)
            throw Cut();
        if (_events == _options.StallAfter)
            return StallAsync(cancellationToken);
        if (_events > 0 && _options.ChunkDelay > TimeSpan.Zero)
            return ReadLaterAsync(buffer, cancellationToken);
        MakeNext();
        return ValueTask.FromResult(Give(buffer));
    }

    private async ValueTask<int> ReadLaterAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await WaitAsync(_options.ChunkDelay, cancellationToken);
        MakeNext();
        return Give(buffer);
    }

    private int Give(Memory<byte> buffer)
    {
        var rest = _event.WrittenMemory[_given..];
        var length = Math.Min(rest.Length, buffer.Length);
        rest[..length].CopyTo(buffer);
        _given += length;
        return length;
    }

    private void MakeNext()
    {
        _event.ResetWrittenCount();
        _given = 0;
        if (_events == _options.ErrorAfter)
        {
            OpenAiErrors.Dialect.WriteEvent(_event, SimulatorHandler.AskedToFail(500), "", 0);
            _end = End.Over;
        }
        else if (_unfinished > 0)
        {
            while (_cursors[_turn].Step == Step.Over)
                _turn = (_turn + 1) % _cursors.Length;
            MakeChunk(_turn, ref _cursors[_turn]);
            _turn = (_turn + 1) % _cursors.Length;
        }
        else if (_end == End.Usage)
        {
            _wire.WriteUsageChunk(_event);
            _end = End.Done;
        }
        else
        {
            _event.Write("data: [DONE]\n\n"u8);
            _end = End.Over;
        }
        _events++;
    }

    private void MakeChunk(int choice, ref Cursor cursor)
    {
        switch (cursor.Step)
        {
            case Step.Role:
                _wire.WriteRole(_event, choice);
                cursor.Step = AfterRole(choice);
                break;
            case Step.Text:
                var text = _answer.Texts[choice].AsSpan(cursor.At);
                var word = Words.Next(text);
                _wire.WriteText(_event, choice, text[..word]);
                cursor.At += word;
                if (word == text.Length)
                    cursor.Step = Step.Finish;
                break;
            case Step.CallStart:
                _wire.WriteToolCallStart(_event, choice, cursor.Call);
                cursor.Step = Step.Arguments;
                break;
            case Step.Arguments:
                var arguments = _answer.ToolCalls[cursor.Call].Arguments.AsSpan(cursor.At);
                var piece = PieceOf(arguments);
                _wire.WriteArguments(_event, choice, cursor.Call, arguments[..piece]);
                cursor.At += piece;
                if (piece == arguments.Length)
                {
                    cursor.At = 0;
                    cursor.Call++;
                    cursor.Step = cursor.Call == _answer.ToolCalls.Length ? Step.Finish : Step.CallStart;
                }
                break;
            default:
                _wire.WriteFinish(_event, choice);
                cursor.Step = Step.Over;
                _unfinished--;
                if (_unfinished == 0)
                    _end = _wire.SendsUsage ? End.Usage : End.Done;
                break;
        }
    }

    private Step AfterRole(int choice)
    {
        if (_answer.ToolCalls.Length > 0)
            return Step.CallStart;
        return _answer.Texts[choice].Length > 0 ? Step.Text : Step.Finish;
    }

    // Not in the middle of a character.
    private static int PieceOf(ReadOnlySpan<byte> text)
    {
        var length = Math.Min(text.Length, ArgumentsPiece);
        while (length < text.Length && (text[length] & 0xC0) == 0x80)
            length++;
        return length;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Cursor
    {
        public Step Step;
        public int At;
        public int Call;
    }
}
