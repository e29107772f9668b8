using System;
using System.Collections.Generic;
using System.Text;
using NpcEngine.Wire;

namespace NpcEngine.Tests
{
    /// <summary>An event as the golden files' JSON tells it.</summary>
    internal static class GoldenEvents
    {
        internal static Dictionary<string, object> Plain(NpcEvent told, Dictionary<string, object> like)
        {
            var plain = new Dictionary<string, object> { { "kind", Names.Of(told.Kind) } };
            if (like.ContainsKey("line"))
            {
                plain["line"] = told.Line;
            }

            switch (told.Kind)
            {
                case NpcEventKind.Moment:
                    plain["tick"] = (double)told.Tick;
                    plain["ticks"] = (double)told.Ticks;
                    plain["picture_tick"] = told.PictureTick < 0 ? null : (object)(double)told.PictureTick;
                    plain["sound"] = Sound(told, like["sound"]);
                    plain["coefficients"] = Faces(told);
                    plain["picture"] = Hex(told);
                    break;
                case NpcEventKind.Accepted:
                    plain["picture"] = Hex(told);
                    plain["place"] = (double)told.Place;
                    break;
                case NpcEventKind.Words:
                    plain["words"] = Words(told);
                    break;
                case NpcEventKind.Mark:
                    plain["name"] = told.Name;
                    plain["tick"] = (double)told.Tick;
                    break;
                case NpcEventKind.End:
                    plain["ticks"] = (double)told.Ticks;
                    break;
                case NpcEventKind.Cancelled:
                    plain["ticks"] = (double)told.Ticks;
                    plain["reason"] = told.Text;
                    plain["heard"] = told.Heard;
                    plain["heard_chars"] = (double)told.HeardChars;
                    break;
                case NpcEventKind.Error:
                    plain["code"] = told.Code;
                    plain["text"] = told.Text;
                    plain["ends"] = told.Ends;
                    plain["id"] = told.Id;
                    plain["wait_ms"] = (double)told.WaitMs;
                    break;
                case NpcEventKind.Pong:
                    plain["mark"] = (double)told.Number;
                    break;
                case NpcEventKind.Warmed:
                    plain["id"] = told.Id;
                    plain["npc"] = told.Name;
                    plain["voice"] = told.Voice;
                    plain["text_chars"] = (double)told.TextChars;
                    plain["ms"] = (double)told.Ms;
                    break;
                case NpcEventKind.Connected:
                    Welcome(told.Welcome, plain);
                    break;
                case NpcEventKind.Cast:
                    Cast(told.Cast, plain);
                    break;
                case NpcEventKind.Stats:
                    Stats(told.Stats, plain);
                    break;
            }

            return plain;
        }

        private static object Sound(NpcEvent told, object like)
        {
            if (told.SoundSamples == 0)
            {
                return null;
            }

            var samples = new List<object>();
            var expected = like as List<object>;
            for (int i = 0; i < told.SoundSamples; i++)
            {
                double value = Math.Round(told.Sound[i] * 32767.0);
                bool isLeast = expected != null && i < expected.Count && (double)expected[i] == -32768.0; // which is −1 too
                samples.Add(isLeast && value == -32767.0 ? -32768.0 : value);
            }

            return samples;
        }

        private static object Faces(NpcEvent told)
        {
            if (told.Channels == 0)
            {
                return null;
            }

            var faces = new List<object>();
            for (int tick = 0; tick < told.Ticks; tick++)
            {
                var face = new List<object>();
                for (int i = 0; i < told.Channels; i++)
                {
                    face.Add((double)told.Coefficients[tick * told.Channels + i]);
                }

                faces.Add(face);
            }

            return faces;
        }

        private static string Hex(NpcEvent told)
        {
            if (told.PictureBytes == 0)
            {
                return null;
            }

            var text = new StringBuilder();
            for (int i = 0; i < told.PictureBytes; i++)
            {
                text.Append(told.Picture[i].ToString("x2"));
            }

            return text.ToString();
        }

        private static List<object> Words(NpcEvent told)
        {
            var words = new List<object>();
            foreach (NpcWord word in told.Words)
            {
                words.Add(new Dictionary<string, object>
                {
                    { "text", word.Text }, { "start", (double)word.Start }, { "end", (double)word.End },
                    { "first", (double)word.First }, { "last", (double)word.Last },
                });
            }

            return words;
        }

        private static void Welcome(Welcome welcome, Dictionary<string, object> plain)
        {
            plain["version"] = (double)welcome.Version;
            plain["engine"] = welcome.Engine;
            plain["channels"] = List(welcome.Channels);
            plain["capabilities"] = List(welcome.Capabilities);
            plain["sample_rate"] = (double)welcome.SampleRate;
            plain["tick_ms"] = (double)welcome.TickMs;
            plain["open_lines"] = (double)welcome.OpenLines;
            plain["text_chars"] = (double)welcome.TextChars;
            plain["credit_cap_ms"] = (double)welcome.CreditCapMs;
            plain["arkit52"] = List(welcome.Arkit52);
            plain["visemes15"] = List(welcome.Visemes15);
        }

        private static void Cast(NpcCast cast, Dictionary<string, object> plain)
        {
            var npcs = new List<object>();
            foreach (NpcEntry npc in cast.Npcs)
            {
                npcs.Add(new Dictionary<string, object>
                {
                    { "name", npc.Name }, { "voice", npc.Voice }, { "face", npc.Face }, { "about", npc.About },
                });
            }

            plain["npcs"] = npcs;
            plain["voices"] = List(cast.Voices);
            plain["faces"] = List(cast.Faces);
        }

        private static void Stats(NpcStats stats, Dictionary<string, object> plain)
        {
            plain["lines"] = (double)stats.Lines;
            plain["waiting"] = (double)stats.Waiting;
            plain["queued_ms"] = (double)stats.QueuedMs;
            plain["sent_ms"] = (double)stats.SentMs;
            plain["pictures"] = (double)stats.Pictures;
            plain["thinned"] = (double)stats.Thinned;
            plain["shrunk"] = (double)stats.Shrunk;
            plain["damped"] = (double)stats.Damped;
            plain["refused"] = (double)stats.Refused;
            plain["first_moment_ms"] = (double)stats.FirstMomentMs;
            plain["engine_lines"] = (double)stats.EngineLines;
            plain["load_percent"] = (double)stats.LoadPercent;
        }

        private static List<object> List(IReadOnlyList<string> strings)
        {
            var list = new List<object>();
            foreach (string text in strings)
            {
                list.Add(text);
            }

            return list;
        }
    }
}
