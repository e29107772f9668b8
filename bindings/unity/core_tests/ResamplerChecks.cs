using System;

namespace NpcEngine.Tests
{
    /// <summary>Sound at another rate: the same waves, at the same time, however it is portioned.</summary>
    internal static class ResamplerChecks
    {
        private const int Seconds = 1;

        internal static void Run(string[] arguments)
        {
            foreach (int rate in new[] { 44100, 48000, 22050, 32000, 24000, 96000, 16000, 44056 })
            {
                var resampler = new Resampler(Playback.SampleRate, rate);
                int outputs = Seconds * rate;
                foreach (double hertz in new[] { 0.0, 100.0, 1000.0, 5000.0 })
                {
                    Wave(resampler, rate, hertz, outputs);
                }

                Portions(rate);
            }

            Aliases();
            Program.Equal(88200L, new Resampler(24000, 44100).Needed(0) + new Resampler(44100, 24000).InputAt(48000), "place");
        }

        private static float[] Input(double hertz, int count)
        {
            var input = new float[count];
            for (int i = 0; i < count; i++)
            {
                input[i] = (float)(0.5 * Math.Cos(2 * Math.PI * hertz * i / Playback.SampleRate));
            }

            return input;
        }

        private static void Wave(Resampler resampler, int rate, double hertz, int outputs)
        {
            resampler.Reset();
            int needed = resampler.Needed(outputs);
            float[] input = Input(hertz, needed);
            var output = new float[outputs];
            resampler.Process(input, 0, needed, output, 0, outputs);
            double error = 0;
            double signal = 0;
            for (int i = rate / 100; i < outputs; i++)
            {
                double expected = 0.5 * Math.Cos(2 * Math.PI * hertz * i / rate);
                error += (output[i] - expected) * (output[i] - expected);
                signal += expected * expected;
            }

            double decibels = 10 * Math.Log10(signal / Math.Max(error, 1e-30));
            Console.WriteLine(rate + " Hz: " + hertz + " Hz keeps " + decibels.ToString("0.0") + " dB");
            double least = rate == 44056 ? 50 : 70; // the nearest of 1,024 phases is taken there
            Program.Check(decibels > least, rate + " Hz: wave of " + hertz + " Hz", decibels.ToString("0.0") + " dB, expected " + least);
        }

        private static void Portions(int rate)
        {
            var random = new Random(5);
            var whole = new Resampler(Playback.SampleRate, rate);
            int outputs = rate / 2;
            int needed = whole.Needed(outputs);
            var input = new float[needed];
            for (int i = 0; i < needed; i++)
            {
                input[i] = (float)(random.NextDouble() * 2 - 1);
            }

            var expected = new float[outputs];
            whole.Process(input, 0, needed, expected, 0, outputs);
            var parts = new Resampler(Playback.SampleRate, rate);
            var got = new float[outputs];
            int read = 0;
            for (int at = 0; at < outputs;)
            {
                int now = Math.Min(outputs - at, random.Next(0, 700));
                int more = parts.Needed(now);
                parts.Process(input, read, more, got, at, now);
                read += more;
                at += now;
            }

            Program.Equal(needed, read, rate + " Hz: input of portions");
            int same = 0;
            while (same < outputs && got[same] == expected[same])
            {
                same++;
            }

            Program.Equal(outputs, same, rate + " Hz: portions");
        }

        /// <summary>What a lower rate can't hold is gone, not folded back.</summary>
        private static void Aliases()
        {
            var resampler = new Resampler(Playback.SampleRate, 16000);
            int needed = resampler.Needed(16000);
            var output = new float[16000];
            resampler.Process(Input(10000, needed), 0, needed, output, 0, 16000);
            double most = 0;
            for (int i = 1000; i < output.Length; i++)
            {
                most = Math.Max(most, Math.Abs(output[i]));
            }

            Program.Check(most < 0.5e-3, "alias of 10 kHz at 16 kHz", "amplitude " + most);
        }
    }
}
