using System;
using System.Diagnostics;
using System.IO;
using System.Reflection;
using NpcEngine.Wire;

namespace NpcEngine.Tests
{
    /// <summary>
    /// What a moment costs from its frames to the face: read, added, heard through a device at 48 kHz, looked at, credited. Garbage is
    /// counted by GC.GetAllocatedBytesForCurrentThread where the runtime has it, which is told, and else by GC.GetTotalMemory.
    /// </summary>
    internal static class CostChecks
    {
        private const int Warm = 500; // buffers have grown, code is compiled
        private const int Counted = 3000;

        internal static void Run(string[] arguments)
        {
            byte[][] golden = GoldenChecks.ReadFrames(File.ReadAllBytes(Path.Combine(arguments[0], "moment_full.bin")));
            var game = new Game(golden);
            game.Run(Warm);
            game.Times.Clear();
            game.DeviceTimes.Clear();
            Func<long> counter = Counter();
            counter();
            long before = counter();
            int collections = GC.CollectionCount(0);
            game.Run(Counted);
            long garbage = counter() - before;
            Console.WriteLine(
                "a moment costs " + Median(game.Times) + " ms, its 40 ms of sound at 48 kHz " + Median(game.DeviceTimes) + " ms more, "
                + garbage + " bytes of garbage in " + Counted + " moments");
            Program.Check(Median(game.Times) <= 0.2, "cost", Median(game.Times) + " ms, expected at most 0.2");
            Program.Equal(0L, garbage, "bytes of garbage");
            Program.Equal(0, GC.CollectionCount(0) - collections, "collections");
            Counts(counter);
        }

        private static double Median(System.Collections.Generic.List<double> times)
        {
            var sorted = new System.Collections.Generic.List<double>(times);
            sorted.Sort();
            return Math.Round(sorted[sorted.Count / 2], 4);
        }

        /// <summary>That the counter counts at all.</summary>
        private static void Counts(Func<long> counter)
        {
            long before = counter();
            var kept = new byte[1000][];
            for (int i = 0; i < kept.Length; i++)
            {
                kept[i] = new byte[100];
            }

            Program.Check(counter() - before >= 100000 && kept.Length == 1000, "counter", "counts " + (counter() - before) + " bytes of 100,000");
        }

        /// <summary>Counts the bytes that this thread has allocated, if the runtime can; says how.</summary>
        internal static Func<long> Counter()
        {
            MethodInfo method = typeof(GC).GetMethod("GetAllocatedBytesForCurrentThread", BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static);
            if (method != null)
            {
                var counter = (Func<long>)Delegate.CreateDelegate(typeof(Func<long>), method);
                long before = counter();
                var kept = new byte[100000];
                if (counter() - before >= kept.Length)
                {
                    Console.WriteLine("counter: GC.GetAllocatedBytesForCurrentThread");
                    return counter;
                }
            }

            Console.WriteLine("counter: GC.GetTotalMemory");
            return () => GC.GetTotalMemory(false);
        }

        /// <summary>One line that never ends, 25 moments a second of two ticks and a picture, and a game of 50 frames a second.</summary>
        private sealed class Game
        {
            internal readonly System.Collections.Generic.List<double> Times = new System.Collections.Generic.List<double>(2 * Counted);
            internal readonly System.Collections.Generic.List<double> DeviceTimes = new System.Collections.Generic.List<double>(2 * Counted);
            private readonly Stopwatch _clock = Stopwatch.StartNew();
            private readonly ReplyReader _reader = new ReplyReader();
            private readonly NpcEvent _told = new NpcEvent();
            private readonly Frames _frames = new Frames();
            private readonly byte[][] _golden;
            private readonly MsgPackWriter _header = new MsgPackWriter();
            private readonly Request _request = new Request();
            private readonly Playback _playback = new Playback();
            private readonly PlaybackStream _stream;
            private readonly float[] _sound = new float[2 * 1920];
            private long _tick;

            internal Game(byte[][] golden)
            {
                _golden = golden;
                _stream = new PlaybackStream(_playback, 48000);
                for (int i = 0; i < 20; i++)
                {
                    Hear();
                }
            }

            internal void Run(int moments)
            {
                for (int i = 0; i < moments; i++)
                {
                    double began = _clock.Elapsed.TotalMilliseconds;
                    Hear();
                    double heard = _clock.Elapsed.TotalMilliseconds;
                    _stream.Read(_sound, 0, 1920, 2);
                    double sounded = _clock.Elapsed.TotalMilliseconds;
                    for (int frame = 0; frame < 2; frame++)
                    {
                        long position = _stream.PositionAt(_stream.Frames - 1920 * (2 - frame) / 2);
                        Shown shown = _playback.At(position);
                        int credit = _playback.CreditMs(position);
                        if (credit > 0)
                        {
                            _request.Credit("l1", credit);
                        }

                        if (shown.PictureBytes == 0)
                        {
                            throw new InvalidOperationException("no picture");
                        }
                    }

                    Times.Add(_clock.Elapsed.TotalMilliseconds - sounded + heard - began);
                    DeviceTimes.Add(sounded - heard);
                }
            }

            private void Hear()
            {
                _header.Begin("moment");
                _header.Text("line", "l1");
                _header.Whole("tick", _tick);
                _header.Whole("ticks", 2);
                _header.Whole("picture_tick", _tick);
                _header.Whole("sound", _golden[1].Length);
                _header.Whole("coefficients", _golden[2].Length);
                _header.Whole("picture", _golden[3].Length);
                _header.End();
                _frames.Clear();
                Put(_header.Data, _header.Start, _header.Count);
                for (int i = 1; i < 4; i++)
                {
                    Put(_golden[i], 0, _golden[i].Length);
                }

                _reader.Read(_frames, _told);
                _playback.Add(_told);
                _tick += 2;
            }

            private void Put(byte[] data, int offset, int count)
            {
                byte[] into = _frames.Next(count);
                Buffer.BlockCopy(data, offset, into, 0, count);
                _frames.Add(0, count);
            }
        }
    }
}
