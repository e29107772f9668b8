using System;
using System.Globalization;
using System.IO;
using System.Text;

namespace NpcEngine.Tests
{
    /// <summary>
    /// Does what a file tells, row by row, and compares with what npc_engine/playback.py gave for the same: tests/test_binding_csharp.py
    /// writes it. Sound and faces follow formulas that both sides know.
    /// </summary>
    internal static class PlaybackChecks
    {
        private static Playback _playback;
        private static int _row;

        internal static void Run(string[] arguments)
        {
            foreach (string row in File.ReadAllLines(arguments[0], Encoding.UTF8))
            {
                _row++;
                string[] parts = row.Split(' ');
                Do(parts);
            }
        }

        /// <summary>A sample of a line, −1 … 1.</summary>
        internal static float Sample(long at)
        {
            return (float)((at * 7919 % 2001 - 1000) / 1000.0);
        }

        /// <summary>A coefficient of a tick.</summary>
        internal static float Coefficient(long tick, int channel)
        {
            return (float)((tick * 31 + channel * 17) % 101 / 101.0);
        }

        internal static NpcEvent Moment(long tick, int ticks, int channels, bool sound, int pictureBytes, long pictureTick)
        {
            var told = new NpcEvent();
            told.Clear(NpcEventKind.Moment);
            told.Tick = tick;
            told.Ticks = ticks;
            told.Channels = channels;
            told.Coefficients = new float[ticks * channels];
            for (int i = 0; i < told.Coefficients.Length; i++)
            {
                told.Coefficients[i] = Coefficient(tick + i / channels, i % channels);
            }

            if (sound)
            {
                told.SoundSamples = ticks * Playback.TickSamples;
                told.Sound = new float[told.SoundSamples];
                for (int i = 0; i < told.SoundSamples; i++)
                {
                    told.Sound[i] = Sample(tick * Playback.TickSamples + i);
                }
            }

            told.PictureBytes = pictureBytes;
            told.Picture = new byte[pictureBytes];
            told.PictureTick = pictureBytes > 0 ? pictureTick : -1;
            return told;
        }

        private static int Int(string text)
        {
            return int.Parse(text, CultureInfo.InvariantCulture);
        }

        private static void Do(string[] row)
        {
            NpcEvent told = new NpcEvent();
            switch (row[0])
            {
                case "new":
                    if (_playback == null || Int(row[1]) % 3 == 0)
                    {
                        _playback = new Playback(Int(row[1]), Int(row[2]), Int(row[3]), Int(row[4]));
                    }
                    else
                    {
                        _playback.Reset(Int(row[1]), Int(row[2]), Int(row[3]), Int(row[4]));
                    }

                    return;
                case "moment":
                    told = Moment(Int(row[1]), Int(row[2]), Int(row[3]), row[4] == "1", Int(row[5]), Int(row[6]));
                    break;
                case "word":
                    told.Clear(NpcEventKind.Words);
                    told.Words.Add(new NpcWord { Text = "x", Start = Int(row[1]), End = Int(row[2]), First = Int(row[3]), Last = Int(row[4]) });
                    break;
                case "mark":
                    told.Clear(NpcEventKind.Mark);
                    told.Name = row[1];
                    told.Tick = Int(row[2]);
                    break;
                case "accepted":
                    told.Clear(NpcEventKind.Accepted);
                    told.PictureBytes = Int(row[1]);
                    told.Picture = new byte[told.PictureBytes];
                    break;
                case "end":
                    told.Clear(NpcEventKind.End);
                    told.Ticks = Int(row[1]);
                    break;
                case "cancelled":
                    told.Clear(NpcEventKind.Cancelled);
                    break;
                case "error":
                    told.Clear(NpcEventKind.Error);
                    told.Code = "internal";
                    break;
                case "cut":
                    _playback.Cut(Int(row[1]));
                    return;
                default:
                    Compare(row);
                    return;
            }

            _playback.Add(told);
        }

        private static void Compare(string[] row)
        {
            string name = "row " + _row + " " + row[0];
            switch (row[0])
            {
                case "sound":
                    Sound(name, row);
                    break;
                case "credit":
                    Program.Equal(Int(row[2]), _playback.CreditMs(Int(row[1])), name);
                    break;
                case "state":
                    string got = string.Join(
                        " ", "state", _playback.Position, _playback.Missing, _playback.ReceivedMs, _playback.HeardSample,
                        _playback.HeardChars, _playback.Finished ? 1 : 0);
                    Program.Equal(string.Join(" ", row), got, name);
                    break;
                case "at":
                    At(name, row);
                    break;
                default:
                    Program.Fail(name, "is unknown");
                    break;
            }
        }

        private static void Sound(string name, string[] row)
        {
            int count = Int(row[1]);
            var got = new float[count + 2];
            _playback.Read(got, 1, count);
            bool same = row.Length == 2 + count && got[0] == 0 && got[count + 1] == 0;
            int i = 0;
            for (; same && i < count; i++)
            {
                same = Math.Abs(got[1 + i] - float.Parse(row[2 + i], CultureInfo.InvariantCulture)) <= 1e-6f;
            }

            Program.Check(same, name, "sample " + i + " of " + count + " differs");
        }

        /// <summary>at POSITION CLOSED WORD PICTURE_BYTES MARKS COEFFICIENT…</summary>
        private static void At(string name, string[] row)
        {
            Shown shown = _playback.At(Int(row[1]));
            double closed = double.Parse(row[2], CultureInfo.InvariantCulture);
            Program.Check(Math.Abs(closed - shown.Closed) < 1e-6, name, "closed " + shown.Closed + ", expected " + closed);
            string got = shown.Word + " " + shown.PictureBytes + " " + (shown.Marks.Count == 0 ? "-" : string.Join(",", shown.Marks));
            Program.Equal(row[3] + " " + row[4] + " " + row[5], got, name);
            Program.Equal(row.Length - 6, shown.Coefficients.Length, name + " coefficients");
            double most = 0;
            for (int i = 0; i < Math.Min(row.Length - 6, shown.Coefficients.Length); i++)
            {
                most = Math.Max(most, Math.Abs(shown.Coefficients[i] - double.Parse(row[6 + i], CultureInfo.InvariantCulture)));
            }

            Program.Check(most < 2e-6, name, "coefficients differ by " + most);
        }
    }
}
