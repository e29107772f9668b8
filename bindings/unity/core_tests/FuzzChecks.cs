using System;
using System.Collections.Generic;
using System.IO;
using NpcEngine.Wire;

namespace NpcEngine.Tests
{
    /// <summary>FOLDER COUNT: golden messages with bytes changed, cut and doubled. Each is read, or refused as the reader promises.</summary>
    internal static class FuzzChecks
    {
        internal static void Run(string[] arguments)
        {
            var seeds = new List<byte[][]>();
            foreach (string file in Directory.GetFiles(arguments[0], "*.bin"))
            {
                byte[][] frames = GoldenChecks.ReadFrames(File.ReadAllBytes(file));
                if (frames.Length > 0 && frames[0].Length < 4096)
                {
                    seeds.Add(frames);
                }
            }

            var chance = new Random(3);
            var reader = new ReplyReader();
            var told = new NpcEvent();
            int read = 0;
            int count = int.Parse(arguments[1]);
            for (int i = 0; i < count; i++)
            {
                byte[][] frames = (byte[][])seeds[chance.Next(seeds.Count)].Clone();
                for (int changes = chance.Next(1, 4); changes > 0; changes--)
                {
                    frames[0] = Changed(frames[0], chance);
                }

                try
                {
                    reader.Read(GoldenChecks.Put(frames), told);
                    read++;
                }
                catch (WireException)
                {
                    // as promised
                }
            }

            Console.WriteLine(read + " of " + count + " were read");
            Program.Check(read > count / 100 && read < count, "fuzz", read + " of " + count + " were read");
        }

        private static byte[] Changed(byte[] data, Random chance)
        {
            var changed = new List<byte>(data);
            int at = chance.Next(changed.Count + 1);
            switch (chance.Next(5))
            {
                case 0:
                    changed.Insert(at, (byte)chance.Next(256));
                    break;
                case 1:
                    changed.RemoveRange(at, Math.Min(chance.Next(3), changed.Count - at));
                    break;
                case 2:
                    changed.InsertRange(at, changed.GetRange(0, Math.Min(at, chance.Next(40))));
                    break;
                case 3:
                    changed.RemoveRange(at, changed.Count - at);
                    break;
                default:
                    if (at < changed.Count)
                    {
                        changed[at] = chance.Next(2) == 0 ? (byte)chance.Next(256) : (byte)(changed[at] ^ 1 << chance.Next(8));
                    }

                    break;
            }

            return changed.ToArray();
        }
    }
}
