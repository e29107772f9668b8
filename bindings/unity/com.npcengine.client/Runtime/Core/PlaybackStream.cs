using System;

namespace NpcEngine
{
    /// <summary>A playback at the rate of a sound device, with which the device's clock becomes the line's.</summary>
    public sealed class PlaybackStream
    {
        private const int Portion = 1024; // frames that are made at once

        private readonly Playback _playback;
        private readonly Resampler _resampler;
        private readonly float[] _made = new float[Portion];
        private float[] _read;
        private long _frames;

        /// <summary><paramref name="outputRate"/>: frames a second that the device plays, such as Unity's AudioSettings.outputSampleRate.</summary>
        public PlaybackStream(Playback playback, int outputRate)
        {
            _playback = playback;
            _resampler = new Resampler(Playback.SampleRate, outputRate);
            _read = new float[_resampler.Needed(Portion) + 1];
        }

        /// <summary>Frames given out.</summary>
        public long Frames { get { return System.Threading.Interlocked.Read(ref _frames); } }

        /// <summary>
        /// Fill <paramref name="frames"/> frames of interleaved <paramref name="channels"/>, each with the same mono sample.
        /// Called on the sound device's thread; makes no garbage.
        /// </summary>
        public void Read(float[] data, int offset, int frames, int channels)
        {
            for (int done = 0; done < frames;)
            {
                int now = Math.Min(Portion, frames - done);
                int needed = _resampler.Needed(now);
                if (needed > _read.Length)
                {
                    _read = new float[needed];
                }

                _playback.Read(_read, 0, needed);
                _resampler.Process(_read, 0, needed, _made, 0, now);
                for (int i = 0; i < now; i++)
                {
                    for (int channel = 0; channel < channels; channel++)
                    {
                        data[offset + (done + i) * channels + channel] = _made[i];
                    }
                }

                done += now;
                System.Threading.Interlocked.Add(ref _frames, now);
            }
        }

        /// <summary>The position, for <see cref="Playback.At"/>, that sounds while the device plays a frame of this stream.</summary>
        public long PositionAt(long frame)
        {
            return _resampler.InputAt(frame);
        }
    }
}
