using System;
using System.Collections.Generic;

namespace NpcEngine
{
    /// <summary>
    /// One line on its way to ears and eyes: feed it the line's events with <see cref="Add"/>. No clock and no device in here.
    /// Positions count samples of what <see cref="Read"/> gave out, silence included: the game says which of them is being heard,
    /// and goes on counting after the last, so that the mouth closes. All may be called from any thread.
    /// </summary>
    public sealed partial class Playback
    {
        /// <summary>Samples a second of what <see cref="Read"/> gives out.</summary>
        public const int SampleRate = 24000;

        /// <summary>Samples of a tick, which is 20 ms.</summary>
        public const int TickSamples = 480;

        /// <summary>How far ahead of the heard sample the engine may send by default: rides out half a second of a busy machine.</summary>
        public const int DefaultAheadMs = 600;

        private const int TickMs = 20;
        private const int SamplesPerMs = SampleRate / 1000;
        private const int WakeMs = 40; // from rest to speaking, when sound goes on after a gap
        private const int FadeSamples = 120; // 5 ms: a cut without a click
        private const int LeastCreditMs = 40; // one moment message with a picture
        private const int CreditShare = 5; // a fifth of what is kept ahead is granted at once: each grant costs a message
        private const int History = SampleRate; // samples that the heard position may go back
        private const int CreditCapMs = 10000;

        private readonly object _gate = new object(); // the sound device reads on a thread of its own
        private readonly Shown _shown = new Shown();
        private readonly List<NpcWord> _words = new List<NpcWord>();
        private readonly SoundRing _sound = new SoundRing();
        private readonly FaceRing _faces = new FaceRing();
        private readonly GapRing _gaps = new GapRing();
        private readonly PictureRing _pictures = new PictureRing();
        private readonly List<MarkAt> _marks = new List<MarkAt>();
        private int _grantedMs;
        private int _aheadMs;
        private int _ease;
        private long _position;
        private long _missing;
        private long _heard;
        private int _told; // of the marks
        private long _received; // ticks
        private long _end; // samples of the whole line; -1 until it is known
        private long _taken; // samples of the line given out
        private long _cancelledAt; // position at which the line was cut; -1 if it was not

        private struct MarkAt
        {
            internal string Name;
            internal long Start; // sample
        }

        /// <summary>
        /// <paramref name="grantedMs"/> is the credit that the line was asked with, <paramref name="aheadMs"/> how far ahead of the heard
        /// sample the engine shall keep, <paramref name="easeMs"/> how long the face takes into rest.
        /// </summary>
        public Playback(int grantedMs = 600, int aheadMs = DefaultAheadMs, int easeMs = 100, int channels = 50)
        {
            Reset(grantedMs, aheadMs, easeMs, channels);
        }

        /// <summary>Begin another line, with the buffers of the last.</summary>
        public void Reset(int grantedMs = 600, int aheadMs = DefaultAheadMs, int easeMs = 100, int channels = 50)
        {
            if (aheadMs < LeastCreditMs || aheadMs > CreditCapMs)
            {
                throw new ArgumentOutOfRangeException(
                    "aheadMs", "aheadMs is " + aheadMs + ", expected " + LeastCreditMs + " to " + CreditCapMs);
            }

            lock (_gate)
            {
                _grantedMs = grantedMs;
                _aheadMs = aheadMs;
                _ease = Math.Max(1, easeMs * SamplesPerMs);
                _position = _missing = _heard = _received = _taken = 0;
                _told = 0;
                _end = _cancelledAt = -1;
                _words.Clear();
                _marks.Clear();
                _sound.Clear();
                _gaps.Clear();
                _pictures.Clear();
                _faces.Clear(channels);
                ErrorCode = ErrorText = "";
                Rest();
            }
        }

        /// <summary>The line's words that have come.</summary>
        public IReadOnlyList<NpcWord> Words { get { return _words; } }

        /// <summary>Samples given out, silence included.</summary>
        public long Position { get { lock (_gate) { return _position; } } }

        /// <summary>Samples of silence given out in the middle of the line, because nothing had come.</summary>
        public long Missing { get { lock (_gate) { return _missing; } } }

        /// <summary>Why the line ended early, if it did: the error's code; else "".</summary>
        public string ErrorCode { get; private set; }

        /// <summary>The error's text.</summary>
        public string ErrorText { get; private set; }

        /// <summary>Whether the line was cut, by the game or by the engine.</summary>
        public bool WasCut { get { lock (_gate) { return _cancelledAt >= 0; } } }

        /// <summary>How much of the line has come.</summary>
        public long ReceivedMs { get { lock (_gate) { return _received * TickMs; } } }

        /// <summary>The sample of the line that is heard, as <see cref="At"/> was last told.</summary>
        public long HeardSample { get { lock (_gate) { return Heard(); } } }

        /// <summary>Whether the line was heard to its end or cut, and the face has come to rest; <see cref="At"/> moves it there.</summary>
        public bool Finished
        {
            get { lock (_gate) { return (_end >= 0 || _cancelledAt >= 0) && Over(_heard) >= _ease; } }
        }

        /// <summary>Characters of the line's text up to the end of the last word that was heard whole.</summary>
        public long HeardChars
        {
            get
            {
                lock (_gate)
                {
                    long heard = Heard();
                    long chars = 0;
                    for (int i = 0; i < _words.Count; i++)
                    {
                        if (_words[i].End <= heard)
                        {
                            chars = Math.Max(chars, _words[i].Last);
                        }
                    }

                    return chars;
                }
            }
        }

        /// <summary>Take an event of this line; what has nothing to play is ignored.</summary>
        /// <exception cref="InvalidOperationException">Moments that are not the next ones of the line: add each event once.</exception>
        public void Add(NpcEvent told)
        {
            lock (_gate)
            {
                switch (told.Kind)
                {
                    case NpcEventKind.Moment:
                        AddMoment(told);
                        break;
                    case NpcEventKind.Words:
                        _words.AddRange(told.Words);
                        break;
                    case NpcEventKind.Mark:
                        _marks.Add(new MarkAt { Name = told.Name, Start = told.Tick * TickSamples });
                        break;
                    case NpcEventKind.Accepted:
                        _pictures.SetRest(told.Picture, told.PictureBytes);
                        break;
                    case NpcEventKind.End:
                        Finish(told.Ticks * TickSamples);
                        break;
                    case NpcEventKind.Cancelled:
                        CutAt(_heard);
                        break;
                    case NpcEventKind.Error:
                        if (told.Ends)
                        {
                            ErrorCode = told.Code;
                            ErrorText = told.Text;
                            Finish(_received * TickSamples); // what has come is still played
                        }

                        break;
                }
            }
        }

        private void AddMoment(NpcEvent told)
        {
            if (_cancelledAt >= 0)
            {
                return;
            }

            if (told.Tick != _received)
            {
                throw new InvalidOperationException(
                    "moment of tick " + told.Tick + ", expected " + _received + ": add each event once");
            }

            int ticks = (int)told.Ticks;
            if (told.Channels > 0)
            {
                if (_faces.Count > 0 && told.Channels != _faces.Channels)
                {
                    throw new InvalidOperationException(
                        "faces of " + told.Channels + " values, those before had " + _faces.Channels);
                }

                _faces.Add(told.Coefficients, told.Channels, ticks);
            }

            _received += ticks;
            if (told.SoundSamples > 0)
            {
                _sound.Add(told.Sound, told.SoundSamples);
            }
            else
            {
                _sound.AddSilence(ticks * TickSamples); // a line without sound plays as silence of its length
            }

            if (told.PictureBytes > 0)
            {
                _pictures.Add(told.PictureTick * TickSamples, told.Picture, told.PictureBytes);
            }
        }

        private void Finish(long end)
        {
            _end = end;
            if (_gaps.Count > 0 && _taken >= end && _gaps.LastEnd == _position)
            {
                long length = _gaps.RemoveLast(); // it was no gap, but the silence after the line
                _missing -= _received > 0 ? length : 0;
            }
        }

        /// <summary>The next samples for the sound device, 24 kHz, −1 … 1; silence where nothing has come yet or nothing is left.</summary>
        public void Read(float[] samples, int offset, int count)
        {
            lock (_gate)
            {
                int done = _sound.Take(samples, offset, count);
                Array.Clear(samples, offset + done, count - done);
                if (done < count && _cancelledAt < 0 && (_end < 0 || _taken + done < _end))
                {
                    _gaps.Add(_position + done, count - done);
                    _missing += _received > 0 ? count - done : 0;
                }

                _taken += done;
                _position += count;
            }
        }

        /// <summary>
        /// Stop here: silence after a 5 ms fade; the face eases from position <paramref name="heard"/> on (−1: the last one known).
        /// A game calls it when it cancels the line, and empties what its sound device has queued.
        /// </summary>
        public void Cut(long heard = -1)
        {
            lock (_gate)
            {
                CutAt(heard < 0 ? _heard : heard);
            }
        }

        private void CutAt(long heard)
        {
            if (_cancelledAt < 0)
            {
                _cancelledAt = heard;
                _sound.FadeOut(FadeSamples);
            }
        }

        /// <summary>
        /// Milliseconds to grant now with <see cref="Client.Credit"/>, so that the engine may send ahead of position <paramref name="heard"/>
        /// (−1: of what was given out); counts them as granted. 0 when nothing is due.
        /// </summary>
        public int CreditMs(long heard = -1)
        {
            lock (_gate)
            {
                if (_cancelledAt >= 0 || _end >= 0)
                {
                    return 0;
                }

                long at = Sample(heard < 0 ? _position : heard) / SamplesPerMs;
                long due = FloorDivide(at + _aheadMs - _grantedMs, TickMs) * TickMs;
                if (due < Math.Max(LeastCreditMs, _aheadMs / CreditShare))
                {
                    return 0;
                }

                _grantedMs += (int)due;
                return (int)due;
            }
        }

        private static long FloorDivide(long value, long by)
        {
            return value >= 0 ? value / by : -((by - 1 - value) / by);
        }
    }
}
