using System;
using System.Collections.Generic;

namespace NpcEngine
{
    /// <summary>Samples in order: what comes goes in behind, what is played leaves in front. Grows to what a line keeps ahead, then stays.</summary>
    internal sealed class SoundRing
    {
        private float[] _samples = new float[2 * Playback.SampleRate];
        private int _start;

        internal int Count { get; private set; }

        internal void Clear()
        {
            _start = Count = 0;
        }

        internal void Add(float[] samples, int count)
        {
            Reserve(count);
            int at = (_start + Count) % _samples.Length;
            int first = Math.Min(count, _samples.Length - at);
            Array.Copy(samples, 0, _samples, at, first);
            Array.Copy(samples, first, _samples, 0, count - first);
            Count += count;
        }

        internal void AddSilence(int count)
        {
            Reserve(count);
            int at = (_start + Count) % _samples.Length;
            int first = Math.Min(count, _samples.Length - at);
            Array.Clear(_samples, at, first);
            Array.Clear(_samples, 0, count - first);
            Count += count;
        }

        /// <summary>Take up to <paramref name="count"/> samples; how many there were.</summary>
        internal int Take(float[] into, int offset, int count)
        {
            count = Math.Min(count, Count);
            int first = Math.Min(count, _samples.Length - _start);
            Array.Copy(_samples, _start, into, offset, first);
            Array.Copy(_samples, 0, into, offset + first, count - first);
            _start = (_start + count) % _samples.Length;
            Count -= count;
            return count;
        }

        /// <summary>Keep no more than the next samples, ever quieter.</summary>
        internal void FadeOut(int samples)
        {
            Count = Math.Min(Count, samples);
            for (int i = 0; i < Count; i++)
            {
                _samples[(_start + i) % _samples.Length] *= Count == 1 ? 1f : 1f - (float)i / (Count - 1);
            }
        }

        private void Reserve(int more)
        {
            if (Count + more <= _samples.Length)
            {
                return;
            }

            float[] grown = new float[Math.Max(2 * _samples.Length, Count + more)];
            int first = Math.Min(Count, _samples.Length - _start);
            Array.Copy(_samples, _start, grown, 0, first);
            Array.Copy(_samples, 0, grown, first, Count - first);
            _samples = grown;
            _start = 0;
        }
    }

    /// <summary>Coefficients of the last ticks.</summary>
    internal sealed class FaceRing
    {
        private float[] _values = Nothing.Floats;
        private int _capacity; // ticks
        private int _start;
        private long _firstTick;

        /// <summary>Ticks that are kept.</summary>
        internal int Count { get; private set; }

        /// <summary>Coefficients a tick.</summary>
        internal int Channels { get; private set; }

        internal void Clear(int channels)
        {
            _start = Count = 0;
            _firstTick = 0;
            SetChannels(channels);
        }

        internal void Add(float[] values, int channels, int ticks)
        {
            SetChannels(channels);
            Reserve(ticks);
            for (int i = 0; i < ticks; i++)
            {
                int slot = (_start + Count) % _capacity;
                Array.Copy(values, i * channels, _values, slot * channels, channels);
                Count++;
            }
        }

        /// <summary>The face at a sample of the line, times <paramref name="share"/>; the last one while the next has not come.</summary>
        internal void Interpolate(long sample, float share, float[] into)
        {
            if (Count == 0)
            {
                Array.Clear(into, 0, into.Length);
                return;
            }

            long tick = sample / Playback.TickSamples - _firstTick;
            int now = (int)Math.Min(Math.Max(tick, 0), Count - 1);
            int next = Math.Min(now + 1, Count - 1);
            float part = sample % Playback.TickSamples / (float)Playback.TickSamples;
            int a = (_start + now) % _capacity * Channels;
            int b = (_start + next) % _capacity * Channels;
            for (int i = 0; i < into.Length; i++)
            {
                into[i] = (_values[a + i] + (_values[b + i] - _values[a + i]) * part) * share;
            }
        }

        internal void ForgetBefore(long tick)
        {
            while (Count > 1 && _firstTick < tick)
            {
                _start = (_start + 1) % _capacity;
                Count--;
                _firstTick++;
            }
        }

        private void SetChannels(int channels)
        {
            if (channels != Channels)
            {
                Channels = channels;
                _capacity = 128; // a second of the past and what is ahead by default
                _values = new float[_capacity * channels];
            }
        }

        private void Reserve(int more)
        {
            if (Count + more <= _capacity)
            {
                return;
            }

            int capacity = Math.Max(2 * _capacity, Count + more);
            float[] grown = new float[capacity * Channels];
            for (int i = 0; i < Count; i++)
            {
                Array.Copy(_values, (_start + i) % _capacity * Channels, grown, i * Channels, Channels);
            }

            _values = grown;
            _capacity = capacity;
            _start = 0;
        }
    }

    /// <summary>Stretches of silence that are not of the line, by position.</summary>
    internal sealed class GapRing
    {
        private readonly List<long> _starts = new List<long>();
        private readonly List<long> _lengths = new List<long>();
        private long _forgotten; // lengths of those that are forgotten

        internal int Count { get { return _starts.Count; } }

        internal long LastEnd { get { return _starts[Count - 1] + _lengths[Count - 1]; } }

        internal long Start(int index)
        {
            return _starts[index];
        }

        internal long Length(int index)
        {
            return _lengths[index];
        }

        internal void Clear()
        {
            _starts.Clear();
            _lengths.Clear();
            _forgotten = 0;
        }

        internal void Add(long start, long length)
        {
            if (Count > 0 && LastEnd == start)
            {
                _lengths[Count - 1] += length;
            }
            else
            {
                _starts.Add(start);
                _lengths.Add(length);
            }
        }

        internal long RemoveLast()
        {
            long length = _lengths[Count - 1];
            _starts.RemoveAt(Count - 1);
            _lengths.RemoveAt(_lengths.Count - 1);
            return length;
        }

        internal long SilentBefore(long position)
        {
            long silent = _forgotten;
            for (int i = 0; i < Count; i++)
            {
                if (_starts[i] < position)
                {
                    silent += Math.Min(_lengths[i], position - _starts[i]);
                }
            }

            return silent;
        }

        internal void ForgetBefore(long position)
        {
            while (Count > 0 && _starts[0] + _lengths[0] < position)
            {
                _forgotten += _lengths[0];
                _starts.RemoveAt(0);
                _lengths.RemoveAt(0);
            }
        }
    }

    /// <summary>Pictures by the sample from which on they are shown; their buffers are used again.</summary>
    internal sealed class PictureRing
    {
        private readonly List<Slot> _kept = new List<Slot>();
        private readonly Stack<Slot> _spare = new Stack<Slot>();
        private int _number;

        internal sealed class Slot
        {
            internal long Sample;
            internal byte[] Data = Nothing.Bytes;
            internal int Bytes;
            internal int Number;
        }

        /// <summary>The face at rest; null if none came.</summary>
        internal Slot Rest { get; private set; }

        internal void Clear()
        {
            while (_kept.Count > 0)
            {
                RemoveFirst();
            }

            if (Rest != null)
            {
                _spare.Push(Rest);
                Rest = null;
            }
        }

        internal void SetRest(byte[] data, int bytes)
        {
            if (bytes > 0)
            {
                Rest = Filled(0, data, bytes);
            }
        }

        internal void Add(long sample, byte[] data, int bytes)
        {
            _kept.Add(Filled(sample, data, bytes));
        }

        /// <summary>The newest picture that is not after a sample; null before the first.</summary>
        internal Slot At(long sample)
        {
            Slot found = null;
            for (int i = 0; i < _kept.Count && _kept[i].Sample <= sample; i++)
            {
                found = _kept[i];
            }

            return found;
        }

        internal void ForgetBefore(long sample)
        {
            while (_kept.Count > 1 && _kept[1].Sample <= sample)
            {
                RemoveFirst();
            }
        }

        private void RemoveFirst()
        {
            _spare.Push(_kept[0]);
            _kept.RemoveAt(0);
        }

        private Slot Filled(long sample, byte[] data, int bytes)
        {
            Slot slot = _spare.Count > 0 ? _spare.Pop() : new Slot();
            if (slot.Data.Length < bytes)
            {
                slot.Data = new byte[bytes + bytes / 2]; // the next may be larger: pictures of a face differ little
            }

            Buffer.BlockCopy(data, 0, slot.Data, 0, bytes);
            slot.Sample = sample;
            slot.Bytes = bytes;
            slot.Number = ++_number;
            return slot;
        }
    }
}
