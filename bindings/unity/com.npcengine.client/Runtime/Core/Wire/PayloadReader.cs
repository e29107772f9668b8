using System;

namespace NpcEngine.Wire
{
    /// <summary>Sound, coefficients and picture of a message: what its header promised, in the order of their frames.</summary>
    internal sealed class PayloadReader
    {
        private const float Full = 32767f; // of 16 bits

        private long _sound;
        private long _coefficients;
        private long _picture;

        internal void Begin()
        {
            _sound = _coefficients = _picture = 0;
        }

        /// <summary>The header says how large a payload is.</summary>
        internal bool Promise(FieldReader fields, ref MsgPackReader reader, Key key)
        {
            if (reader.Type != MsgPackType.Whole)
            {
                throw fields.Fault(" is " + reader.Describe() + ", expected 0 to " + WireLimits.PayloadBytes + " bytes");
            }

            MsgPackReader before = reader;
            long size = reader.Whole();
            if (size < 0 || size > WireLimits.PayloadBytes)
            {
                throw new WireException(
                    Names.Of(key) + " is " + before.Describe() + ", expected 0 to " + WireLimits.PayloadBytes + " bytes");
            }

            _sound = key == Key.Sound ? size : _sound;
            _coefficients = key == Key.Coefficients ? size : _coefficients;
            _picture = key == Key.Picture ? size : _picture;
            return true;
        }

        internal void Read(Frames frames, NpcEvent told)
        {
            int promised = (_sound > 0 ? 1 : 0) + (_coefficients > 0 ? 1 : 0) + (_picture > 0 ? 1 : 0);
            if (frames.Count - 1 != promised)
            {
                throw new WireException("message of " + (frames.Count - 1) + " payloads, header promised " + promised);
            }

            int frame = 1;
            if (_sound > 0)
            {
                ReadSound(frames, frame++, told);
            }

            if (_coefficients > 0)
            {
                ReadCoefficients(frames, frame++, told);
            }

            if (_picture > 0)
            {
                Expect(frames, frame, _picture);
                int bytes = frames.Bytes(frame);
                if (told.Picture.Length < bytes)
                {
                    told.Picture = new byte[bytes + bytes / 2]; // pictures of a face differ little
                }

                Buffer.BlockCopy(frames.Data(frame), frames.Offset(frame), told.Picture, 0, bytes);
                told.PictureBytes = bytes;
            }

            if (told.Kind == NpcEventKind.Moment)
            {
                CheckMoment(told);
            }
        }

        private static void Expect(Frames frames, int frame, long size)
        {
            if (frames.Bytes(frame) != size)
            {
                throw new WireException("payload of " + frames.Bytes(frame) + " bytes, header promised " + size);
            }
        }

        private void ReadSound(Frames frames, int frame, NpcEvent told)
        {
            Expect(frames, frame, _sound);
            if (_sound % 2 != 0)
            {
                throw new WireException("sound of " + _sound + " bytes, expected a multiple of 2");
            }

            var samples = (int)(_sound / 2);
            if (samples != told.Ticks * Playback.TickSamples)
            {
                throw new WireException(
                    "sound of " + samples + " samples, expected " + told.Ticks * Playback.TickSamples + " for " + told.Ticks + " ticks");
            }

            if (told.Sound.Length < samples)
            {
                told.Sound = new float[Math.Max(samples, 2 * Playback.TickSamples)];
            }

            byte[] data = frames.Data(frame);
            int at = frames.Offset(frame);
            float[] sound = told.Sound;
            for (int i = 0; i < samples; i++)
            {
                var value = (short)(data[at] | data[at + 1] << 8);
                sound[i] = value == short.MinValue ? -1f : value / Full;
                at += 2;
            }

            told.SoundSamples = samples;
        }

        private void ReadCoefficients(Frames frames, int frame, NpcEvent told)
        {
            Expect(frames, frame, _coefficients);
            if (_coefficients % 2 != 0)
            {
                throw new WireException("coefficients of " + _coefficients + " bytes, expected a multiple of 2");
            }

            var values = (int)(_coefficients / 2);
            long width = values / told.Ticks;
            if (told.Coefficients.Length < values)
            {
                told.Coefficients = new float[Math.Max(values, 2 * 52)];
            }

            byte[] data = frames.Data(frame);
            int at = frames.Offset(frame);
            for (int i = 0; i < values; i++)
            {
                int half = data[at] | data[at + 1] << 8;
                if (!Bits.IsFiniteHalf(half))
                {
                    throw new WireException("coefficients hold a value that is not finite");
                }

                told.Coefficients[i] = Bits.HalfToFloat(half);
                at += 2;
            }

            if (values % told.Ticks != 0 || (width != 15 && width != 50 && width != 52))
            {
                throw new WireException("coefficients of " + values + " values, expected " + told.Ticks + " times one of 15, 50, 52");
            }

            told.Channels = (int)width;
        }

        private static void CheckMoment(NpcEvent told)
        {
            if (told.PictureTick >= 0 != told.PictureBytes > 0)
            {
                throw new WireException("picture and picture_tick come together or not at all");
            }

            if (told.PictureTick >= 0 && (told.PictureTick < told.Tick || told.PictureTick >= told.Tick + told.Ticks))
            {
                throw new WireException(
                    "picture_tick is " + told.PictureTick + ", expected " + told.Tick + " to " + (told.Tick + told.Ticks - 1));
            }
        }
    }
}
