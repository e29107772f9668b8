using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using NpcEngine.Wire;

namespace NpcEngine.Tests
{
    /// <summary>Every golden file of a folder, as bindings/golden/README.md asks; prints the name of each with what was done.</summary>
    internal static class GoldenChecks
    {
        private static readonly ReplyReader Reader = new ReplyReader();

        internal static void Run(string[] arguments)
        {
            string[] files = Directory.GetFiles(arguments[0], "*.json");
            Array.Sort(files, StringComparer.Ordinal);
            foreach (string file in files)
            {
                string name = Path.GetFileNameWithoutExtension(file);
                try
                {
                    Dictionary<string, object> told = Json.Parse(File.ReadAllText(file, Encoding.UTF8));
                    byte[][] frames = ReadFrames(File.ReadAllBytes(Path.ChangeExtension(file, ".bin")));
                    Console.WriteLine(name + " " + ((string)told["from"] == "engine" ? Engine(name, told, frames) : Game(name, told, frames)));
                }
                catch (Exception error)
                {
                    Program.Fail(name, error.ToString());
                }
            }
        }

        /// <summary>The frames in a .bin file.</summary>
        internal static byte[][] ReadFrames(byte[] data)
        {
            var frames = new byte[BitConverter.ToUInt32(data, 0)][];
            int at = 4;
            for (int i = 0; i < frames.Length; i++)
            {
                var size = (int)BitConverter.ToUInt32(data, at);
                frames[i] = new byte[size];
                Buffer.BlockCopy(data, at + 4, frames[i], 0, size);
                at += 4 + size;
            }

            return frames;
        }

        internal static Frames Put(byte[][] data)
        {
            var frames = new Frames();
            foreach (byte[] frame in data)
            {
                // not at the beginning, and with more behind: a reader that goes beyond its part is found
                byte[] into = frames.Next(frame.Length + 8);
                for (int i = 0; i < into.Length; i++)
                {
                    into[i] = 0x7F;
                }

                Buffer.BlockCopy(frame, 0, into, 3, frame.Length);
                frames.Add(3, frame.Length);
            }

            return frames;
        }

        private static string Engine(string name, Dictionary<string, object> told, byte[][] data)
        {
            var got = new NpcEvent();
            try
            {
                Reader.Read(Put(data), got);
            }
            catch (WireException fault)
            {
                Program.Check(told.ContainsKey("error"), name, "refused: " + fault.Message);
                if (told.ContainsKey("error"))
                {
                    Refused(name, (Dictionary<string, object>)told["error"], fault, true);
                }

                return "refused";
            }

            Program.Check(told.ContainsKey("message"), name, "was read");
            if (told.ContainsKey("message"))
            {
                var message = (Dictionary<string, object>)told["message"];
                string difference = Difference(message, GoldenEvents.Plain(got, message), "");
                Program.Check(difference.Length == 0, name, difference);
            }

            return "read";
        }

        private static void Refused(string name, Dictionary<string, object> expected, WireException fault, bool names)
        {
            Program.Equal((string)expected["code"], fault.Code, name + " code");
            Program.Check(
                fault.Message.Contains((string)expected["text"]), name, "'" + fault.Message + "' lacks '" + expected["text"] + "'");
            if (names)
            {
                Program.Equal((string)expected["line"], fault.Line, name + " line");
                Program.Equal((string)expected["id"], fault.Id, name + " id");
            }
        }

        private static string Game(string name, Dictionary<string, object> told, byte[][] data)
        {
            if (!told.ContainsKey("message"))
            {
                return Unreadable(name, (Dictionary<string, object>)told["error"], data);
            }

            var message = (Dictionary<string, object>)told["message"];
            string done = "";
            if ((bool)told["canonical"])
            {
                Request request = GoldenRequests.Built(message);
                Program.Equal(request.PayloadBytes > 0 ? 2 : 1, data.Length, name + " frames");
                Same(name + " header", data[0], request.Header.Data, request.Header.Start, request.Header.Count);
                if (data.Length > 1)
                {
                    Same(name + " payload", data[1], request.Payload, 0, request.PayloadBytes);
                }

                done = "written";
            }

            return done + CheckedBeforeSending(name, told, message);
        }

        /// <summary>What an engine would refuse is refused before it is sent, where the client can know it.</summary>
        private static string CheckedBeforeSending(string name, Dictionary<string, object> told, Dictionary<string, object> message)
        {
            var kind = (string)message["kind"];
            if (kind != "speak" && kind != "warm")
            {
                return "";
            }

            bool wrong = told.ContainsKey("error");
            try
            {
                GoldenRequests.Check(message);
                Program.Check(!wrong, name, "was not refused");
            }
            catch (WireException fault)
            {
                Program.Check(wrong, name, "was refused: " + fault.Message);
                if (wrong)
                {
                    Refused(name, (Dictionary<string, object>)told["error"], fault, false);
                }
            }

            return wrong ? " and refused" : " and let through";
        }

        /// <summary>A broken message of a game: what is wrong with its frames or header as such is wrong for any reader.</summary>
        private static string Unreadable(string name, Dictionary<string, object> expected, byte[][] data)
        {
            try
            {
                Reader.Read(Put(data), new NpcEvent());
                Program.Fail(name, "was read");
                return "read";
            }
            catch (WireException fault)
            {
                if (name == "game_sends_moment")
                {
                    Program.Equal(Codes.BadMessage, fault.Code, name); // a game reads moments, but this one lacks its tick
                    return "refused";
                }

                if (fault.Message.EndsWith("travels the other way", StringComparison.Ordinal))
                {
                    Program.Equal("unknown-kind", fault.Code, name);
                    string text = (string)expected["text"];
                    bool isOfAll = text.StartsWith("header", StringComparison.Ordinal) || text.Contains("frames") || text.Contains("nested");
                    Program.Check(!isOfAll, name, "'" + fault.Message + "', expected " + text);
                    return "travels the other way";
                }

                Refused(name, expected, fault, true);
                return "refused";
            }
        }

        private static void Same(string name, byte[] expected, byte[] data, int offset, int count)
        {
            var got = new byte[count];
            Buffer.BlockCopy(data, offset, got, 0, count);
            Program.Equal(BitConverter.ToString(expected), BitConverter.ToString(got), name);
        }

        private static string Difference(object expected, object got, string where)
        {
            var map = expected as Dictionary<string, object>;
            var list = expected as List<object>;
            if (map != null)
            {
                var other = (Dictionary<string, object>)got;
                foreach (KeyValuePair<string, object> entry in map)
                {
                    string inner = !other.ContainsKey(entry.Key)
                        ? where + entry.Key + " lacks"
                        : Difference(entry.Value, other[entry.Key], where + entry.Key + ": ");
                    if (inner.Length > 0)
                    {
                        return inner;
                    }
                }

                return other.Count == map.Count ? "" : where + other.Count + " keys, expected " + map.Count;
            }

            if (list != null)
            {
                var other = got as List<object>;
                if (other == null || other.Count != list.Count)
                {
                    return where + (other == null ? "no list" : other.Count + " entries") + ", expected " + list.Count + " entries";
                }

                for (int i = 0; i < list.Count; i++)
                {
                    string inner = Difference(list[i], other[i], where + "[" + i + "] ");
                    if (inner.Length > 0)
                    {
                        return inner;
                    }
                }

                return "";
            }

            return Equals(expected, got) ? "" : where + "got " + (got ?? "null") + ", expected " + (expected ?? "null");
        }
    }
}
