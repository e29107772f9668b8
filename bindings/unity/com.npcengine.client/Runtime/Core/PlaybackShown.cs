using System;

namespace NpcEngine
{
    /// <content>What belongs to the sample that is heard.</content>
    public sealed partial class Playback
    {
        /// <summary>
        /// What belongs to the sample at position <paramref name="heard"/>; positions may go back by no more than a second. The object
        /// is the same each time and holds until the next call.
        /// </summary>
        public Shown At(long heard)
        {
            lock (_gate)
            {
                _heard = Math.Max(_heard, heard);
                long sample = Sample(heard);
                Forget(sample);
                float closed = (float)Closed(heard);
                if (_shown.Coefficients.Length != _faces.Channels)
                {
                    _shown.Coefficients = new float[_faces.Channels];
                }

                _faces.Interpolate(sample, 1f - closed, _shown.Coefficients);
                _shown.Closed = closed;
                ShowPicture(sample, closed);
                _shown.Word = WordAt(sample);
                Reach(sample);
                return _shown;
            }
        }

        private void Rest()
        {
            _shown.Coefficients = _shown.Coefficients.Length == _faces.Channels ? _shown.Coefficients : new float[_faces.Channels];
            Array.Clear(_shown.Coefficients, 0, _shown.Coefficients.Length);
            _shown.Picture = Nothing.Bytes;
            _shown.PictureBytes = _shown.PictureNumber = 0;
            _shown.Word = -1;
            _shown.Closed = 0f;
            _shown.Marks.Clear();
        }

        private void ShowPicture(long sample, float closed)
        {
            PictureRing.Slot slot = _pictures.At(sample);
            if (slot == null || (closed >= 0.5f && _pictures.Rest != null))
            {
                slot = _pictures.Rest;
            }

            _shown.Picture = slot == null ? Nothing.Bytes : slot.Data;
            _shown.PictureBytes = slot == null ? 0 : slot.Bytes;
            _shown.PictureNumber = slot == null ? 0 : slot.Number;
        }

        private int WordAt(long sample)
        {
            int low = 0;
            int high = _words.Count;
            while (low < high)
            {
                int middle = (low + high) / 2;
                if (_words[middle].Start <= sample)
                {
                    low = middle + 1;
                }
                else
                {
                    high = middle;
                }
            }

            return low - 1;
        }

        /// <summary>The marks that a sample has reached and that have not been told; a sample that has not come is not heard.</summary>
        private void Reach(long sample)
        {
            long heard = Math.Min(sample, _received * TickSamples - 1);
            _shown.Marks.Clear();
            while (_told < _marks.Count && _marks[_told].Start <= heard)
            {
                _shown.Marks.Add(_marks[_told].Name);
                _told++;
            }
        }

        private long Heard()
        {
            return Math.Min(Sample(_heard), _received * TickSamples);
        }

        /// <summary>The sample of the line that sounds at a position; stands still in gaps and after a cut.</summary>
        private long Sample(long heard)
        {
            if (_cancelledAt >= 0)
            {
                heard = Math.Min(heard, _cancelledAt);
            }

            return Math.Max(0, heard - _gaps.SilentBefore(heard));
        }

        /// <summary>Samples since the line was cut or heard to its end; 0 or less before.</summary>
        private long Over(long heard)
        {
            if (_cancelledAt >= 0)
            {
                return heard - _cancelledAt;
            }

            return _end >= 0 ? Sample(heard) - _end : 0;
        }

        private double Closed(long heard)
        {
            double closed = Math.Min(1.0, Math.Max(0.0, Over(heard) / (double)_ease));
            if (_cancelledAt >= 0)
            {
                heard = Math.Min(heard, _cancelledAt);
            }

            for (int i = 0; i < _gaps.Count; i++)
            {
                long start = _gaps.Start(i);
                long length = _gaps.Length(i);
                if (start < heard)
                {
                    double hush = Math.Min(1.0, Math.Min(length, heard - start) / (double)_ease);
                    double woken = Math.Max(0, heard - start - length) / (double)(WakeMs * SamplesPerMs);
                    closed = Math.Max(closed, hush - woken);
                }
            }

            return closed;
        }

        private void Forget(long sample)
        {
            _faces.ForgetBefore(FloorDivide(sample - History, TickSamples));
            _pictures.ForgetBefore(sample - History);
            _gaps.ForgetBefore(_heard - History);
        }
    }
}
