using System;

namespace NpcEngine
{
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
}
