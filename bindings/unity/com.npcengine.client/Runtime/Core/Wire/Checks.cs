using System.Globalization;

namespace NpcEngine.Wire
{
    /// <summary>
    /// Whether the engine can do what is asked, as far as that can be said without its characters. What the engine would refuse is
    /// refused here with the same code, so that a fault is told in the frame in which it was made.
    /// </summary>
    internal static class Checks
    {
        private static readonly string[] Styles = { "", "serious", "lively", "cartoon" };
        private static readonly string[] Emotions = { "neutral", "happy", "sad", "angry", "afraid", "surprised", "disgusted" };
        private static readonly string[] Attitudes = { "", "idle", "listening" };
        private static readonly string[] Turns = { "wait", "replace", "beside" };
        private static readonly string[] Coefficients = { "exp50", "arkit52", "visemes15", "none" };
        private static readonly string[] Formats = { "", "jpeg", "png", "webp" };

        /// <summary>Raise for a line that no engine would take.</summary>
        internal static void Check(SpeakRequest speak)
        {
            SpeakOptions options = speak.Options;
            Chars("line", speak.Line, 1, WireLimits.IdChars);
            Manner("speak", speak.Npc, options);
            Chars("face", options.Face, 0, WireLimits.NameChars);
            Range("priority", options.Priority, -WireLimits.MostPriority, WireLimits.MostPriority);
            Range("credit_ms", speak.CreditMs, 0, WireLimits.CreditCapMs);
            Range("lasts_ms", options.LastsMs, 0, WireLimits.LastsMs);
            Range("deadline_ms", options.DeadlineMs, 0, WireLimits.DeadlineMs);
            Range("sound_rate", speak.SoundRate, WireLimits.LeastSoundRate, WireLimits.MostSoundRate);
            Known("attitude", speak.Attitude, Attitudes, "unknown-attitude");
            Known("turn", options.Turn, Turns, "unknown-turn");
            if (speak.Attitude.Length > 0 || speak.Live)
            {
                Textless(speak);
            }
            else if (!speak.Open && speak.Text.Trim().Length == 0)
            {
                throw new WireException("text is empty", "bad-text");
            }

            if (options.LastsMs != 0 && speak.Attitude.Length == 0)
            {
                throw new WireException(
                    "speak: lasts_ms is " + options.LastsMs + ", expected 0: a text lasts as long as it takes to say");
            }

            if (options.Denoise && !speak.Live)
            {
                throw new WireException("speak: denoise is true, expected false: only live sound has noise");
            }

            Text(speak.Text);
            Outputs(options);
        }

        /// <summary>Raise for a warming that no engine would take.</summary>
        internal static void Check(string npc, string text, SpeakOptions options)
        {
            Manner("warm", npc, options);
            Text(text);
        }

        private static void Manner(string kind, string npc, SpeakOptions options)
        {
            Chars("npc", npc, 0, WireLimits.NameChars);
            Chars("voice", options.Voice, 0, WireLimits.NameChars);
            if (npc.Length == 0 && options.Voice.Length == 0)
            {
                throw new WireException(kind + ": neither npc nor voice is named, expected one of them");
            }

            Known("style", options.Style, Styles, "unknown-style");
            Known("emotion", options.Emotion, Emotions, "unknown-emotion");
            if (!(options.Strength >= 0 && options.Strength <= 1)) // NaN is in no range
            {
                throw new WireException(
                    "strength is " + options.Strength.ToString(CultureInfo.InvariantCulture) + ", expected 0 to 1");
            }
        }

        private static void Textless(SpeakRequest speak)
        {
            string line = speak.Attitude.Length > 0
                ? "a line of attitude '" + speak.Attitude + "' says nothing"
                : "a live line says what it hears";
            if (speak.Attitude.Length > 0 && speak.Live)
            {
                throw new WireException(line + ", but came with live");
            }

            if (speak.Text.Length > 0 || speak.Open)
            {
                string what = speak.Open ? "open text" : "a text of " + Utf8.Chars(speak.Text) + " characters";
                throw new WireException(line + ", but came with " + what, "bad-text");
            }
        }

        private static void Text(string text)
        {
            int chars = Utf8.Chars(text);
            if (chars > WireLimits.TextChars)
            {
                throw new WireException(
                    "text has " + chars + " characters, expected at most " + WireLimits.TextChars, "bad-text");
            }
        }

        private static void Outputs(SpeakOptions options)
        {
            Known("coefficients", options.Coefficients, Coefficients, "unknown-output");
            Known("picture_format", options.PictureFormat, Formats, "unknown-output");
            if (options.Picture != 0 && (options.Picture < WireLimits.LeastPicture || options.Picture > WireLimits.MostPicture))
            {
                throw new WireException(
                    "speak: outputs: picture is " + options.Picture + ", expected 0, or " + WireLimits.LeastPicture + " to "
                    + WireLimits.MostPicture + " pixels");
            }

            if (options.PictureEvery < 1 || options.PictureEvery > WireLimits.MostPictureEvery)
            {
                throw new WireException(
                    "speak: outputs: picture_every is " + options.PictureEvery + ", expected 1 to " + WireLimits.MostPictureEvery
                    + " ticks");
            }
        }

        private static void Chars(string what, string text, int least, int most)
        {
            int chars = Utf8.Chars(text);
            if (chars < least || chars > most)
            {
                throw new WireException(what + " has " + chars + " characters, expected " + least + " to " + most);
            }
        }

        private static void Range(string what, int value, int low, int high)
        {
            if (value < low || value > high)
            {
                throw new WireException(what + " is " + value + ", expected " + low + " to " + high);
            }
        }

        private static void Known(string what, string name, string[] known, string code)
        {
            if (System.Array.IndexOf(known, name) < 0)
            {
                string names = "'" + string.Join("', '", known) + "'";
                names = names.StartsWith("'', ", System.StringComparison.Ordinal) ? names.Substring(4) : names;
                throw new WireException("no " + what + " '" + name + "'" + Near.Hint(name, known) + "; known: " + names, code);
            }
        }
    }
}
