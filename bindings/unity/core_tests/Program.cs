using System;
using System.Collections.Generic;
using System.Globalization;
using System.Threading;

namespace NpcEngine.Tests
{
    /// <summary>Runs one group of checks: its name, then its arguments. What fails is printed; the exit status is 1 then.</summary>
    internal static class Program
    {
        private static int _failed;
        private static int _passed;

        private static int Main(string[] arguments)
        {
            Thread.CurrentThread.CurrentCulture = CultureInfo.InvariantCulture;
            var groups = new Dictionary<string, Action<string[]>>
            {
                { "golden", GoldenChecks.Run }, { "fuzz", FuzzChecks.Run }, { "crypto", CryptoChecks.Run }, { "keys", KeyChecks.Run },
                { "playback", PlaybackChecks.Run }, { "step", StepChecks.Run }, { "resampler", ResamplerChecks.Run },
                { "cost", CostChecks.Run }, { "talk", TalkChecks.Run }, { "faults", FaultChecks.Run }, { "say", SayProgram.Run },
            };
            Action<string[]> group;
            if (arguments.Length < 1 || !groups.TryGetValue(arguments[0], out group))
            {
                Console.Error.WriteLine("expected one of " + string.Join(", ", groups.Keys));
                return 2;
            }

            var rest = new string[arguments.Length - 1];
            Array.Copy(arguments, 1, rest, 0, rest.Length);
            try
            {
                group(rest);
            }
            catch (Exception error)
            {
                Fail("exception", error.ToString());
            }

            Console.WriteLine("passed " + _passed + ", failed " + _failed);
            return _failed == 0 && _passed > 0 ? 0 : 1;
        }

        /// <summary>Count a check, and print it if it failed.</summary>
        internal static void Check(bool holds, string name, string told)
        {
            if (holds)
            {
                _passed++;
            }
            else
            {
                Fail(name, told);
            }
        }

        internal static void Equal(object expected, object got, string name)
        {
            Check(Equals(expected, got), name, "got " + (got ?? "null") + ", expected " + (expected ?? "null"));
        }

        internal static void Fail(string name, string told)
        {
            _failed++;
            Console.WriteLine("FAILED " + name + ": " + told);
        }
    }
}
