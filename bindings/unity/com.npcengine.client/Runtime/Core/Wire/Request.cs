using System;

namespace NpcEngine.Wire
{
    /// <summary>One message of the game, ready to leave: a header and at most one payload. Buffers are used again.</summary>
    internal sealed class Request
    {
        internal readonly MsgPackWriter Header = new MsgPackWriter();

        /// <summary>Sound of a live line; the first <see cref="PayloadBytes"/> count.</summary>
        internal byte[] Payload = Nothing.Bytes;

        internal int PayloadBytes;

        /// <summary>The line, or warming, that it is about, "" if of none.</summary>
        internal string Line = "";

        /// <summary>The connection for which it was written; on another it is not sent.</summary>
        internal int Generation { get; set; }

        private Request Begin(string kind, string line)
        {
            PayloadBytes = 0;
            Line = line;
            Header.Begin(kind);
            return this;
        }

        private Request End()
        {
            Header.End();
            return this;
        }

        internal Request Hello(long version, string client)
        {
            Begin("hello", "");
            Header.Whole("version", version);
            Text("client", client, "");
            return End();
        }

        /// <summary>A line; <paramref name="options"/> must have passed <see cref="Checks"/>.</summary>
        internal Request Speak(SpeakRequest speak)
        {
            SpeakOptions options = speak.Options;
            Begin("speak", speak.Line);
            Header.Text("line", speak.Line);
            Header.Text("text", speak.Text);
            Text("npc", speak.Npc, "");
            Text("voice", options.Voice, "");
            Text("face", options.Face, "");
            Text("style", options.Style, "");
            Text("emotion", options.Emotion, "neutral");
            Whole("priority", options.Priority, 0);
            Whole("credit_ms", speak.CreditMs, Client.DefaultCreditMs);
            Outputs(options);
            Strength(options.Strength);
            Truth("open", speak.Open, false);
            Text("attitude", speak.Attitude, "");
            Whole("lasts_ms", options.LastsMs, 0);
            Text("turn", options.Turn, "wait");
            Whole("deadline_ms", options.DeadlineMs, 0);
            Truth("live", speak.Live, false);
            Whole("sound_rate", speak.SoundRate, Playback.SampleRate);
            Truth("denoise", options.Denoise, false);
            return End();
        }

        private void Outputs(SpeakOptions options)
        {
            Header.BeginMap("outputs");
            Truth("sound", options.Sound, true);
            Text("coefficients", options.Coefficients, "exp50");
            Truth("words", options.Words, true);
            Whole("picture", options.Picture, 0);
            Whole("picture_every", options.PictureEvery, 2);
            Text("picture_format", options.PictureFormat, "");
            Truth("thin", options.Thin, true);
            Header.EndMap("outputs");
        }

        internal Request Append(string line, string text)
        {
            Begin("append", line);
            Header.Text("line", line);
            Header.Text("text", text);
            return End();
        }

        internal Request Commit(string line)
        {
            Begin("commit", line);
            Header.Text("line", line);
            return End();
        }

        /// <summary>Live sound as PCM16; what exceeds −1 … 1 is clipped, what is no number is silence.</summary>
        internal Request Sound(string line, float[] sound, int offset, int count)
        {
            if (Payload.Length < 2 * count)
            {
                Payload = new byte[2 * count];
            }

            for (int i = 0; i < count; i++)
            {
                float sample = sound[offset + i];
                double clipped = sample >= -1f ? Math.Min(sample, 1f) : sample < -1f ? -1.0 : 0.0;
                var value = (int)Math.Round(clipped * 32767.0);
                Payload[2 * i] = (byte)value;
                Payload[2 * i + 1] = (byte)(value >> 8);
            }

            Begin("sound", line);
            PayloadBytes = 2 * count;
            Header.Text("line", line);
            Whole("sound", 2 * count, 0);
            return End();
        }

        internal Request Credit(string line, long ms)
        {
            Begin("credit", line);
            Header.Text("line", line);
            Header.Whole("ms", ms);
            return End();
        }

        internal Request Playhead(string line, long sample)
        {
            Begin("playhead", line);
            Header.Text("line", line);
            Header.Whole("sample", sample);
            return End();
        }

        internal Request Cancel(string line, string npc, bool all)
        {
            Begin("cancel", line);
            Text("line", line, "");
            Text("npc", npc, "");
            Truth("all", all, false);
            return End();
        }

        internal Request Warm(string id, string npc, string text, SpeakOptions options)
        {
            Begin("warm", id);
            Header.Text("id", id);
            Text("text", text, "");
            Text("npc", npc, "");
            Text("voice", options.Voice, "");
            Text("style", options.Style, "");
            Text("emotion", options.Emotion, "neutral");
            Strength(options.Strength);
            return End();
        }

        internal Request Ping(long mark)
        {
            Begin("ping", "");
            Whole("mark", mark, 0);
            return End();
        }

        internal Request List()
        {
            Begin("list", "");
            return End();
        }

        internal Request Report()
        {
            Begin("report", "");
            return End();
        }

        private void Strength(double strength)
        {
            if (strength != 1.0)
            {
                Header.Real("strength", strength);
            }
        }

        private void Text(string key, string value, string left)
        {
            if (value != left)
            {
                Header.Text(key, value);
            }
        }

        private void Whole(string key, long value, long left)
        {
            if (value != left)
            {
                Header.Whole(key, value);
            }
        }

        private void Truth(string key, bool value, bool left)
        {
            if (value != left)
            {
                Header.Truth(key, value);
            }
        }
    }

    /// <summary>A line to be asked.</summary>
    internal struct SpeakRequest
    {
        internal string Line;
        internal string Text;
        internal string Npc;
        internal string Attitude;
        internal bool Open;
        internal bool Live;
        internal int SoundRate;
        internal SpeakOptions Options;

        /// <summary>Credit to begin with, the default of its sort if none was named.</summary>
        internal int CreditMs
        {
            get
            {
                return Options.CreditMs >= 0 ? Options.CreditMs
                    : Attitude.Length > 0 ? Client.IdleCreditMs : Client.DefaultCreditMs;
            }
        }
    }
}
