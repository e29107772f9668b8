using System;

namespace NpcEngine
{
    /// <summary>
    /// Sound at another rate: a polyphase filter of a Kaiser-windowed sinc (J. F. Kaiser and R. W. Schafer, 1980; the design as in
    /// J. O. Smith, "Digital Audio Resampling"). State is kept from call to call: any portions give the same samples. Output frame n is
    /// the input at n · from / to, without delay, since the filter reads <see cref="Ahead"/> samples ahead.
    /// </summary>
    public sealed class Resampler
    {
        private const int HalfTaps = 16; // input samples to either side; more for a lower rate
        private const double Beta = 8.0; // of the window: side lobes below -80 dB
        private const double Passed = 0.94; // of the lower Nyquist frequency
        private const int MostPhases = 1024; // for rates without a common factor: the nearest of these is taken

        private readonly int _up; // to / gcd
        private readonly int _down; // from / gcd
        private readonly int _phases;
        private readonly int _taps;
        private readonly float[] _filter; // _phases rows of _taps
        private readonly float[] _past; // the last _taps input samples, twice, so that they lie in one piece
        private int _at; // where in _past the next goes
        private long _taken; // input samples
        private long _made; // output samples

        /// <summary>From one number of samples a second to another.</summary>
        public Resampler(int from, int to)
        {
            if (from < 1 || to < 1 || to > 1000000)
            {
                throw new ArgumentOutOfRangeException("to", "from " + from + " to " + to + " samples a second, expected 1 to 1000000");
            }

            int common = Common(from, to);
            _up = to / common;
            _down = from / common;
            if (_up == _down)
            {
                Ahead = 1;
                _phases = _taps = 1;
                _filter = new[] { 1f };
                _past = new float[2];
                return;
            }

            double cutoff = Passed * Math.Min(1.0, to / (double)from); // of the input's Nyquist frequency
            int half = (int)Math.Ceiling(HalfTaps * Math.Max(1.0, from / (double)to));
            Ahead = half + 1;
            _taps = 2 * half;
            _phases = Math.Min(_up, MostPhases);
            _filter = new float[_phases * _taps];
            _past = new float[2 * _taps];
            for (int phase = 0; phase < _phases; phase++)
            {
                FillPhase(phase, half, cutoff);
            }
        }

        /// <summary>Input samples that are read before the first output sample.</summary>
        public int Ahead { get; private set; }

        /// <summary>Forget what was heard.</summary>
        public void Reset()
        {
            Array.Clear(_past, 0, _past.Length);
            _at = 0;
            _taken = _made = 0;
        }

        /// <summary>How many input samples the next <paramref name="outputs"/> need.</summary>
        public int Needed(int outputs)
        {
            return outputs < 1 ? 0 : (int)(InputAt(_made + outputs - 1) + Ahead - _taken);
        }

        /// <summary>The input sample that sounds with an output sample (rounded down).</summary>
        public long InputAt(long output)
        {
            return output / _up * _down + output % _up * _down / _up;
        }

        /// <summary>
        /// Make <paramref name="outputs"/> samples of exactly <see cref="Needed"/> input samples.
        /// </summary>
        public void Process(float[] input, int inputOffset, int inputs, float[] output, int outputOffset, int outputs)
        {
            if (inputs != Needed(outputs))
            {
                throw new ArgumentException(inputs + " input samples for " + outputs + ", expected " + Needed(outputs));
            }

            for (int i = 0; i < outputs; i++)
            {
                long upTo = InputAt(_made) + Ahead;
                while (_taken < upTo)
                {
                    Push(input[inputOffset++]);
                }

                long between = _made % _up * _down % _up; // of _up, from one input sample to the next
                int row = (int)(between * _phases / _up) * _taps;
                output[outputOffset + i] = Sum(_filter, row, _past, _at, _taps);
                _made++;
            }
        }

        private static float Sum(float[] filter, int row, float[] past, int at, int taps)
        {
            float sum = 0f;
            for (int end = row + taps; row < end; row++, at++)
            {
                sum += filter[row] * past[at];
            }

            return sum;
        }

        private void Push(float sample)
        {
            _past[_at] = _past[_at + _taps] = sample;
            _at = (_at + 1) % _taps;
            _taken++;
        }

        private void FillPhase(int phase, int half, double cutoff)
        {
            double sum = 0;
            for (int tap = 0; tap < _taps; tap++)
            {
                double x = tap - (half - 1) - phase / (double)_phases; // input samples from the output's place
                double window = Math.Abs(x) >= half ? 0 : Bessel(Beta * Math.Sqrt(1 - x * x / ((double)half * half))) / Bessel(Beta);
                double angle = Math.PI * x * cutoff;
                double value = (Math.Abs(angle) < 1e-9 ? 1 : Math.Sin(angle) / angle) * window;
                _filter[phase * _taps + tap] = (float)value;
                sum += value;
            }

            for (int tap = 0; tap < _taps; tap++)
            {
                _filter[phase * _taps + tap] /= (float)sum; // a constant stays what it is
            }
        }

        /// <summary>The modified Bessel function of the first kind and order 0, by its power series.</summary>
        private static double Bessel(double x)
        {
            double sum = 1;
            double term = 1;
            for (int n = 1; term > sum * 1e-12; n++)
            {
                term *= x * x / (4.0 * n * n);
                sum += term;
            }

            return sum;
        }

        private static int Common(int a, int b)
        {
            return b == 0 ? a : Common(b, a % b);
        }
    }
}
