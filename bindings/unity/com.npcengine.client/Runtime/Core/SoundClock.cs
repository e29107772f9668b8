using System;

namespace NpcEngine
{
    /// <summary>
    /// Which frame of a stream is heard, between the calls by which a sound device asks for more. The calls come in blocks and jitter by
    /// milliseconds; their mean is steady. Time is an argument, in seconds of any steady clock. All may be called from any thread.
    /// </summary>
    public sealed class SoundClock
    {
        private const double Share = 0.05; // of what a call is off by, that is believed: jitter of 5 ms becomes less than 1 ms
        private const double Jump = 0.08; // seconds: the device stood still, or sound began anew

        private readonly object _gate = new object();
        private readonly double _rate;
        private double _offset; // frames: what is asked at time t is frame t * rate + offset
        private long _given;
        private long _heard;
        private bool _begun;

        /// <summary>For a device that plays <paramref name="rate"/> frames a second.</summary>
        public SoundClock(int rate)
        {
            if (rate < 1)
            {
                throw new ArgumentOutOfRangeException("rate", "rate is " + rate + ", expected frames a second");
            }

            _rate = rate;
        }

        /// <summary>The device has asked for <paramref name="frames"/> frames from <paramref name="first"/> on, counted from 0.</summary>
        public void Asked(double now, long first, int frames)
        {
            lock (_gate)
            {
                double offset = first - now * _rate;
                bool jumped = !_begun || Math.Abs(offset - _offset) > Jump * _rate;
                _offset = jumped ? offset : _offset + Share * (offset - _offset);
                _begun = true;
                _given = first + frames;
            }
        }

        /// <summary>
        /// The frame that is heard, if what is asked for is heard <paramref name="latency"/> seconds later; never goes back, and never
        /// beyond what was asked for.
        /// </summary>
        public long Heard(double now, double latency)
        {
            lock (_gate)
            {
                double at = now * _rate + _offset - latency * _rate;
                _heard = Math.Max(_heard, (long)Math.Min(at, _given));
                return _begun ? _heard : 0;
            }
        }
    }
}
