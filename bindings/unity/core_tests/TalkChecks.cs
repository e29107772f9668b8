using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;

namespace NpcEngine.Tests
{
    /// <summary>
    /// With a real engine of tests/tone.py: MODE ADDRESS [SERVER_KEY KEY]. Ten lines at once, every tick of them accounted for. "lines"
    /// cancels some; "restart" waits in mid-line for the engine to be killed and started again; "stop" for it to be halted.
    /// </summary>
    internal static class TalkChecks
    {
        private const int Yaw = 48; // headYaw, in which tests/tone.py tells the tick
        private const int DeadlineMs = 60000;

        private static readonly Dictionary<string, Ear> Ears = new Dictionary<string, Ear>();
        private static readonly List<string> Told = new List<string>(); // of the connection
        private static Client _client;
        private static Stopwatch _clock;

        internal static void Run(string[] arguments)
        {
            var options = new ClientOptions { Address = arguments[1], Name = "talk" };
            if (arguments.Length > 2)
            {
                options.ServerKey = arguments[2];
                options.Key = arguments[3];
            }

            if (arguments[0] == "stop")
            {
                options.SilenceMs = 1000;
                options.HeartbeatMs = 200;
            }

            Thread[] threads;
            _clock = Stopwatch.StartNew();
            using (_client = new Client(options))
            {
                _client.Connect();
                threads = ThreadChecks.Of(_client);
                Program.Check(threads[0].IsAlive && threads[1].IsAlive, "threads", "are not there");
                switch (arguments[0])
                {
                    case "lines":
                        Lines();
                        Turns();
                        Others();
                        break;
                    case "restart":
                    case "stop":
                        Broken();
                        break;
                    case "steady":
                        Steady();
                        break;
                    default:
                        Program.Fail(arguments[0], "is unknown");
                        break;
                }
            }

            ThreadChecks.AreOver(threads);
            ThreadChecks.AreGone();
        }

        /// <summary>Take events until something holds.</summary>
        private static void Until(Func<bool> holds, string what)
        {
            long end = _clock.ElapsedMilliseconds + DeadlineMs;
            while (!holds())
            {
                NpcEvent told;
                while (_client.Next(out told))
                {
                    Take(told);
                }

                if (_clock.ElapsedMilliseconds > end)
                {
                    throw new TimeoutException("waited in vain until " + what);
                }

                Thread.Sleep(1);
            }
        }

        private static void Take(NpcEvent told)
        {
            Ear ear;
            if (told.Line.Length > 0 && Ears.TryGetValue(told.Line, out ear))
            {
                ear.Take(told);
            }
            else
            {
                Told.Add(told.Kind + (told.Code.Length > 0 ? ":" + told.Code : "") + (told.Id.Length > 0 ? " of " + told.Id : ""));
                if (told.Kind == NpcEventKind.Trouble || told.Kind == NpcEventKind.Refused || told.Kind == NpcEventKind.Error)
                {
                    Console.WriteLine(told);
                }
            }
        }

        private static Ear Speak(string id, int words, string turn = "beside")
        {
            var ear = new Ear(id);
            Ears[id] = ear;
            var text = new string[words];
            for (int i = 0; i < words; i++)
            {
                text[i] = "word";
            }

            _client.Speak("anna", string.Join(" ", text), new SpeakOptions { Line = id, Turn = turn });
            return ear;
        }

        /// <summary>Eight lines that speak, which are as many as a connection may have, and two that live; three are cut.</summary>
        private static void Lines()
        {
            var ears = new List<Ear>();
            for (int i = 0; i < 8; i++)
            {
                ears.Add(Speak("l" + i, i < 6 ? 20 + i : 2000)); // before the engine has greeted: they wait for it
            }

            foreach (string attitude in new[] { "idle", "listening" })
            {
                var ear = new Ear(attitude) { IsSilent = true };
                Ears[attitude] = ear;
                ears.Add(ear);
                _client.Idle("", attitude, new SpeakOptions { Line = attitude, Voice = attitude == "idle" ? "low" : "high", Sound = false });
            }

            Program.Equal(10, _client.OpenLines, "open lines");
            foreach (Ear ear in ears)
            {
                Until(() => ear.Ticks > 30, ear.Line + " speaks");
            }

            _client.Cancel("l6", ears[6].Playback.HeardSample);
            _client.Cancel("l7");
            _client.Cancel("idle");
            _client.CancelNpc("high");
            foreach (Ear ear in ears)
            {
                Until(() => ear.Ended.Length > 0, ear.Line + " ends");
            }

            for (int i = 0; i < 6; i++)
            {
                Program.Equal("End", ears[i].Ended, "l" + i);
                Program.Equal(5L * (20 + i), ears[i].Ticks, "ticks of l" + i);
                Program.Equal(20 + i, ears[i].Words, "words of l" + i);
            }

            for (int i = 6; i < 10; i++)
            {
                Program.Equal("Cancelled", ears[i].Ended, ears[i].Line);
            }

            Program.Check(ears[6].Heard.StartsWith("word", StringComparison.Ordinal), "heard of l6", "'" + ears[6].Heard + "'");
            Program.Equal(0, _client.OpenLines, "open lines at the end");
            foreach (Ear ear in ears)
            {
                ear.Account();
            }
        }

        /// <summary>
        /// A minute of a line with pictures, played at once: no garbage on the game's thread, and next to none on those of the sockets: less
        /// than fills the nursery once, whose size the test sets small. Without words, whose strings are new each time.
        /// </summary>
        private static void Steady()
        {
            Func<long> counter = CostChecks.Counter();
            var ear = new Ear("l0");
            Ears["l0"] = ear;
            string text = "word";
            for (int i = 1; i < 1000; i++)
            {
                text += " word";
            }

            _client.Speak("anna", text, new SpeakOptions { Line = "l0", Picture = 64, Words = false });
            Until(() => ear.Ticks > 1000, "it is warm");
            GC.Collect();
            int collections = GC.CollectionCount(0);
            long ticks = ear.Ticks;
            long before = counter();
            while (ear.Ticks < 4000)
            {
                NpcEvent told;
                while (_client.Next(out told))
                {
                    ear.Take(told);
                }

                Thread.Sleep(1);
            }

            long garbage = counter() - before;
            collections = GC.CollectionCount(0) - collections;
            Console.WriteLine(
                garbage + " bytes of garbage on the game's thread, " + collections + " collections, in " + (ear.Ticks - ticks) + " ticks");
            Program.Equal(0L, garbage, "bytes of garbage on the game's thread");
            Program.Equal(0, collections, "collections");
            ear.Account();
            collections = GC.CollectionCount(0);
            int filled = 0;
            while (GC.CollectionCount(0) == collections && filled < 8 << 20)
            {
                filled += new byte[1 << 10].Length;
            }

            Console.WriteLine("a collection comes after " + filled + " bytes");
            Program.Check(filled <= 300 << 10, "nursery", "holds " + filled + " bytes: set MONO_GC_PARAMS=nursery-size=256k");
        }

        private static void Turns()
        {
            Ear first = Speak("t0", 2000, "wait");
            Ear second = Speak("t1", 10, "wait");
            Until(() => first.Ticks > 10, "t0 speaks");
            Until(() => second.Place == 1, "t1 waits");
            Ear third = Speak("t2", 10, "replace");
            Until(() => third.Ended.Length > 0 && first.Ended.Length > 0 && second.Ended.Length > 0, "t2 ends");
            Program.Equal("Cancelled Cancelled End", first.Ended + " " + second.Ended + " " + third.Ended, "turns");

            var open = new Ear("open");
            Ears["open"] = open;
            _client.SpeakOpen("anna", "one tw", new SpeakOptions { Line = "open" });
            foreach (string piece in new[] { "o thr", "", "ee four five", " six" })
            {
                _client.Append("open", piece);
            }

            _client.Commit("open");
            Until(() => open.Ended.Length > 0, "the open line ends");
            Program.Equal("End one two three four five six", open.Ended + " " + open.Text.Trim(), "open text");
            open.Account();

            var live = new Ear("live") { IsLive = true };
            Ears["live"] = live;
            _client.Live("anna", 16000, new SpeakOptions { Line = "live" });
            var sound = new float[3 * 16000];
            for (int i = 0; i < sound.Length; i++)
            {
                sound[i] = 0.5f * (float)Math.Sin(i * 0.1);
            }

            _client.Hear("live", sound, 0, sound.Length);
            _client.Commit("live");
            Until(() => live.Ended.Length > 0, "the live line ends");
            Program.Equal("End", live.Ended, "live");
            Program.Check(live.Ticks >= 149 && live.Ticks <= 152, "live", live.Ticks + " ticks of 3 s");
            first.Account();
            live.Account();
        }

        private static void Others()
        {
            Told.Clear();
            string warm = _client.Warm("anna", "one two");
            _client.AskCast();
            _client.AskStats();
            _client.Ping(7);
            Until(() => Told.Contains("Cast") && Told.Contains("Stats") && Told.Contains("Pong") && Told.Contains("Warmed of " + warm), "answers");
            string bad = _client.Speak("ana", "one");
            Ears[bad] = new Ear(bad);
            Until(() => Ears[bad].Ended == "Error:unknown-npc", "an unknown character is told");
            string empty = _client.Speak("anna", " ");
            Ears[empty] = new Ear(empty);
            Until(() => Ears[empty].Ended == "Error:bad-text", "an empty text is told");
            string nobody = _client.Warm("", "");
            Until(() => Told.Contains("Error:bad-message of " + nobody), "a warming of nobody is told");
            Speak("twice", 10);
            _client.Speak("anna", "other", new SpeakOptions { Line = "twice" });
            Until(() => Ears["twice"].Ended.Length > 0, "the line ends");
            Program.Equal("End", Ears["twice"].Ended, "a line whose id was given twice");
            Program.Equal("duplicate-line", Ears["twice"].Other, "a line whose id was given twice");
            Ears["twice"].Account();
            Program.Equal(true, _client.Connected && _client.Welcome.Can("append"), "welcome");
        }

        /// <summary>Ten lines are broken off in the middle; each is told once, and spoken anew, whole.</summary>
        private static void Broken()
        {
            var ears = new List<Ear>();
            for (int i = 0; i < 8; i++)
            {
                ears.Add(Speak("l" + i, 2000));
            }

            var idle = new Ear("idle") { IsSilent = true };
            Ears["idle"] = idle;
            ears.Add(idle);
            _client.Idle("ben", "idle", new SpeakOptions { Line = "idle" });
            string warm = _client.Warm("anna");
            foreach (Ear ear in ears)
            {
                Until(() => ear.Ticks > 20, ear.Line + " speaks");
            }

            Until(() => Told.Contains("Warmed of " + warm), "it is warm");
            Console.WriteLine("speaking");
            Until(() => Told.Contains("Disconnected:disconnected"), "the engine is gone");
            foreach (Ear ear in ears)
            {
                Until(() => ear.Ended.Length > 0, ear.Line + " is lost");
                Program.Equal("Error:disconnected", ear.Ended, ear.Line);
                ear.Account();
            }

            Program.Equal(0, _client.OpenLines, "open lines after the break");
            Program.Equal(false, _client.Connected, "connected after the break");
            Console.WriteLine("lost");
            Told.Clear();
            Until(() => Told.Contains("Connected"), "the engine is back");
            for (int i = 0; i < 8; i++)
            {
                ears[i] = Speak("l" + i, 10 + i);
            }

            for (int i = 0; i < 8; i++)
            {
                Until(() => ears[i].Ended.Length > 0, "l" + i + " ends");
                Program.Equal("End", ears[i].Ended, "l" + i);
                Program.Equal(5L * (10 + i), ears[i].Ticks, "ticks of l" + i);
                ears[i].Account();
            }
        }

        /// <summary>Hears one line: grants what it hears, and looks at every tick.</summary>
        private sealed class Ear
        {
            internal readonly string Line;
            internal readonly Playback Playback = new Playback();
            internal string Ended = "";
            internal string Other = ""; // code of an error that does not end it
            internal string Heard = "";
            internal string Text = "";
            internal long Ticks;
            internal long Place;
            internal int Words;
            internal bool IsSilent;
            internal bool IsLive;
            private readonly float[] _sound = new float[Playback.TickSamples];
            private long _faces;
            private int _wrong;

            internal Ear(string line)
            {
                Line = line;
            }

            internal void Take(NpcEvent told)
            {
                if (Ended.Length > 0)
                {
                    Program.Fail(Line, told + " after " + Ended);
                    return;
                }

                Playback.Add(told);
                switch (told.Kind)
                {
                    case NpcEventKind.Accepted:
                        Place = told.Place;
                        break;
                    case NpcEventKind.Words:
                        Words += told.Words.Count;
                        foreach (NpcWord word in told.Words)
                        {
                            Text += word.Text + " ";
                        }

                        break;
                    case NpcEventKind.Moment:
                        Moment(told);
                        break;
                    case NpcEventKind.End:
                        Program.Equal(Ticks, told.Ticks, Line + ": ticks at the end");
                        Ended = "End";
                        break;
                    case NpcEventKind.Cancelled:
                        Program.Equal(Ticks, told.Ticks, Line + ": ticks when cancelled");
                        Heard = told.Heard;
                        Ended = "Cancelled";
                        break;
                    case NpcEventKind.Error:
                        if (told.Ends)
                        {
                            Ended = "Error:" + told.Code;
                        }
                        else
                        {
                            Other = told.Code;
                        }

                        break;
                }
            }

            /// <summary>That nothing was lost, doubled or out of order, and the sound is that of the voice.</summary>
            internal void Account()
            {
                Program.Check(_wrong == 0, Line, _wrong + " ticks of " + Ticks + " are not those expected");
                Program.Check(Ticks > 0 && _faces == Ticks, Line, _faces + " faces of " + Ticks + " ticks");
            }

            private void Moment(NpcEvent told)
            {
                for (int tick = 0; tick < told.Ticks; tick++)
                {
                    long at = told.Tick + tick;
                    _wrong += at == Ticks ? 0 : 1;
                    float yaw = told.Channels == 50 ? told.Coefficients[tick * 50 + Yaw] : -9f;
                    bool isYaw = IsSilent || Math.Abs(yaw - at % 1000 / 1000f) < 6e-4f;
                    _wrong += isYaw ? 0 : 1;
                    for (int i = 0; !IsSilent && !IsLive && i < Playback.TickSamples; i += 37)
                    {
                        double expected = 0.5 * Math.Sin(2 * Math.PI * 110.0 / Playback.SampleRate * (at * Playback.TickSamples + i));
                        _wrong += Math.Abs(told.Sound[tick * Playback.TickSamples + i] - expected) < 1e-3 ? 0 : 1;
                    }

                    Ticks++;
                    _faces++;
                    Playback.Read(_sound, 0, _sound.Length); // as fast as it comes
                }

                Playback.At(Playback.Position);
                _client.Credit(Line, Playback.CreditMs());
            }
        }
    }
}
