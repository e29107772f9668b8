using System;

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
}
