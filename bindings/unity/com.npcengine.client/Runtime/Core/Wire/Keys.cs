using System.Text;

namespace NpcEngine.Wire
{
    /// <summary>Keys of the engine's messages; at most 64, so that a set of them is one number.</summary>
    internal enum Key
    {
        Kind, Line, Id, Version, Engine, Channels, Capabilities, SampleRate, TickMs, OpenLines, TextChars, CreditCapMs, Arkit52,
        Visemes15, Picture, Place, Words, Text, Start, End, First, Last, Name, Tick, Ticks, PictureTick, Sound, Coefficients, Reason,
        Heard, HeardChars, Code, Ends, WaitMs, Mark, Npc, Voice, Ms, Npcs, Voices, Faces, Face, About, Lines, Waiting, QueuedMs, SentMs,
        Pictures, Thinned, Shrunk, Damped, Refused, FirstMomentMs, EngineLines, LoadPercent, Unknown,
    }

    /// <summary>Kinds of messages, and names in bytes.</summary>
    internal static class Names
    {
        /// <summary>Kinds that the engine sends, in the order of <see cref="Replies"/>.</summary>
        internal static readonly byte[][] Replies = Bytes(
            "moment", "words", "mark", "accepted", "end", "cancelled", "error", "pong", "welcome", "warmed", "npcs", "stats");

        /// <summary>Kinds that the game sends.</summary>
        internal static readonly byte[][] Requests = Bytes(
            "hello", "speak", "append", "sound", "commit", "credit", "playhead", "cancel", "warm", "ping", "list", "report");

        private static readonly byte[][] Keys = Bytes(
            "kind", "line", "id", "version", "engine", "channels", "capabilities", "sample_rate", "tick_ms", "open_lines", "text_chars",
            "credit_cap_ms", "arkit52", "visemes15", "picture", "place", "words", "text", "start", "end", "first", "last", "name", "tick",
            "ticks", "picture_tick", "sound", "coefficients", "reason", "heard", "heard_chars", "code", "ends", "wait_ms", "mark", "npc",
            "voice", "ms", "npcs", "voices", "faces", "face", "about", "lines", "waiting", "queued_ms", "sent_ms", "pictures", "thinned",
            "shrunk", "damped", "refused", "first_moment_ms", "engine_lines", "load_percent");

        private static readonly NpcEventKind[] Kinds =
        {
            NpcEventKind.Moment, NpcEventKind.Words, NpcEventKind.Mark, NpcEventKind.Accepted, NpcEventKind.End, NpcEventKind.Cancelled,
            NpcEventKind.Error, NpcEventKind.Pong, NpcEventKind.Connected, NpcEventKind.Warmed, NpcEventKind.Cast, NpcEventKind.Stats,
        };

        /// <summary>What a key is called on the wire.</summary>
        internal static string Of(Key key)
        {
            return Encoding.ASCII.GetString(Keys[(int)key]);
        }

        /// <summary>What a kind is called on the wire.</summary>
        internal static string Of(NpcEventKind kind)
        {
            return Encoding.ASCII.GetString(Replies[System.Array.IndexOf(Kinds, kind)]);
        }

        internal static Key FindKey(byte[] data, int offset, int count)
        {
            int found = Find(Keys, data, offset, count);
            return found < 0 ? Key.Unknown : (Key)found;
        }

        /// <summary>Whether the engine sends this kind.</summary>
        internal static bool FindReply(byte[] data, int offset, int count, out NpcEventKind kind)
        {
            int found = Find(Replies, data, offset, count);
            kind = found < 0 ? NpcEventKind.Error : Kinds[found];
            return found >= 0;
        }

        /// <summary>Whether the game sends this kind.</summary>
        internal static bool IsRequest(byte[] data, int offset, int count)
        {
            return Find(Requests, data, offset, count) >= 0;
        }

        private static int Find(byte[][] names, byte[] data, int offset, int count)
        {
            for (int i = 0; i < names.Length; i++)
            {
                byte[] name = names[i];
                if (name.Length == count)
                {
                    int same = 0;
                    while (same < count && name[same] == data[offset + same])
                    {
                        same++;
                    }

                    if (same == count)
                    {
                        return i;
                    }
                }
            }

            return -1;
        }

        private static byte[][] Bytes(params string[] names)
        {
            var bytes = new byte[names.Length][];
            for (int i = 0; i < names.Length; i++)
            {
                bytes[i] = Encoding.ASCII.GetBytes(names[i]);
            }

            return bytes;
        }
    }
}
