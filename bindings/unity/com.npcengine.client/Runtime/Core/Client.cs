using System;
using NpcEngine.Net;
using NpcEngine.Wire;

namespace NpcEngine
{
    /// <summary>
    /// A connection to an engine, for a game's loop: nothing in here blocks and, once it is made, nothing throws for what the network
    /// or the engine does. Use it from one thread; sockets have threads of their own, which answer heartbeats however busy the game is.
    /// <code>
    /// client.Connect();
    /// string line = client.Speak("elder", "Mind the step!");
    /// // each frame:
    /// while (client.Next(out NpcEvent told)) { if (told.Line == line) playback.Add(told); }
    /// client.Credit(line, playback.CreditMs(heard));
    /// </code>
    /// </summary>
    public sealed partial class Client : IDisposable
    {
        /// <summary>Milliseconds that a line that says nothing is asked with: what is ahead is lost when somebody speaks.</summary>
        public const int IdleCreditMs = 200;

        /// <summary>Milliseconds that any other line is asked with.</summary>
        public const int DefaultCreditMs = 600;

        private static readonly SpeakOptions Defaults = new SpeakOptions();

        private readonly ClientOptions _options;
        private readonly Connection _connection;
        private readonly Address _address;
        private readonly string _prefix = Guid.NewGuid().ToString("N").Substring(0, 8);
        private int _made; // ids
        private bool _started;
        private bool _closed;

        /// <summary>Nothing is sent before <see cref="Connect"/>.</summary>
        /// <exception cref="ArgumentException">The address is none, or the name is too long.</exception>
        /// <exception cref="KeysException">A key is none, or one of the two lacks.</exception>
        public Client(ClientOptions options = null)
        {
            _options = options ?? new ClientOptions();
            _address = Address.Parse(_options.Address);
            if (Utf8.Chars(_options.Name ?? "") > WireLimits.NameChars)
            {
                throw new ArgumentException(
                    "name has " + Utf8.Chars(_options.Name) + " characters, expected 0 to " + WireLimits.NameChars);
            }

            bool isKey = _options.Pair != null || !string.IsNullOrEmpty(_options.Key);
            if (isKey == string.IsNullOrEmpty(_options.ServerKey))
            {
                throw new KeysException(
                    isKey ? "Key came without ServerKey: an engine that asks for keys needs both"
                        : "ServerKey came without Key: an engine that asks for keys needs both");
            }

            KeyPair pair = isKey ? _options.Pair ?? KeyPair.Of(_options.Key) : null;
            byte[] serverKey = isKey ? KeyPair.PublicKey(_options.ServerKey) : null;
            _connection = new Connection(_options, _address, serverKey, pair);
        }

        /// <summary>Whether an engine is there and has greeted, as far as events were taken.</summary>
        public bool Connected { get { return _greeted; } }

        /// <summary>What the engine said of itself at its last greeting; null before the first.</summary>
        public Welcome Welcome { get; private set; }

        /// <summary>How many lines have not ended, as far as events were taken.</summary>
        public int OpenLines { get { return _books.Count; } }

        /// <summary>Begin to connect, and connect again whenever the connection breaks. Returns at once; once is enough.</summary>
        public void Connect()
        {
            if (!_started && !_closed)
            {
                _started = true;
                _connection.Start();
            }
        }

        /// <summary>End the connection; the engine stops what it was saying. No thread is left. Takes at most <see cref="ClientOptions.LingerMs"/>; may be called twice.</summary>
        public void Dispose()
        {
            if (!_closed)
            {
                _closed = true;
                _greeted = false;
                _connection.Close();
                _books.Clear();
            }
        }

        /// <summary>
        /// Ask for a line and return its id at once. Without a connection it waits for one, <see cref="ClientOptions.WaitForEngineMs"/>.
        /// What can't be done is told by an <see cref="NpcEventKind.Error"/> of this id.
        /// </summary>
        public string Speak(string npc, string text, SpeakOptions options = null)
        {
            return Ask(new SpeakRequest { Npc = npc, Text = text, Options = options }, "");
        }

        /// <summary>Ask for a line whose text is still being written: <see cref="Append"/> adds to it, <see cref="Commit"/> ends it.</summary>
        public string SpeakOpen(string npc, string beginning = "", SpeakOptions options = null)
        {
            string whole = beginning ?? "";
            bool isCut = whole.Length > 0 && char.IsHighSurrogate(whole[whole.Length - 1]);
            string text = isCut ? whole.Substring(0, whole.Length - 1) : whole;
            string line = Ask(new SpeakRequest { Npc = npc, Text = text, Open = true, Options = options }, "append");
            Book book;
            if (isCut && _books.TryGetValue(line, out book))
            {
                book.Half = whole[whole.Length - 1];
            }

            return line;
        }

        /// <summary>More text of an open line, cut anywhere. Lines that are not open are let be.</summary>
        public void Append(string line, string text)
        {
            Book book;
            if (string.IsNullOrEmpty(text) || !Find(line, out book))
            {
                return;
            }

            if (book.Half != '\0')
            {
                text = book.Half + text;
                book.Half = '\0';
            }

            if (char.IsHighSurrogate(text[text.Length - 1])) // half a letter: the other half is in the next piece
            {
                book.Half = text[text.Length - 1];
                text = text.Substring(0, text.Length - 1);
            }

            if (text.Length > 0)
            {
                Say(_connection.NewRequest().Append(line, text));
            }
        }

        /// <summary>The text or the live sound of a line is complete: the rest is spoken. Lines that are not open are let be.</summary>
        public void Commit(string line)
        {
            Book book;
            if (Find(line, out book))
            {
                Say(_connection.NewRequest().Commit(line));
            }
        }

        /// <summary>Let a character say live sound, of a microphone or a voice chat: it follows by <see cref="Hear"/>, at this rate, until <see cref="Commit"/>.</summary>
        public string Live(string npc, int rate, SpeakOptions options = null)
        {
            return Ask(new SpeakRequest { Npc = npc, Live = true, SoundRate = rate, Options = options }, "sound");
        }

        /// <summary>More sound of a live line, −1 … 1, mono, at its rate; 10 to 40 ms at a time is best. Lines that are not open are let be.</summary>
        public void Hear(string line, float[] sound, int offset, int count)
        {
            Book book;
            if (sound == null || !Find(line, out book))
            {
                return;
            }

            offset = Math.Max(0, offset);
            count = Math.Min(count, sound.Length - offset);
            for (int most = book.SoundRate; count > 0; offset += most, count -= most) // a second is the most of one message
            {
                Say(_connection.NewRequest().Sound(line, sound, offset, Math.Min(count, most)));
            }
        }

        /// <summary>Let a character live without saying anything, "idle" or "listening", until it is cancelled or says something.</summary>
        public string Idle(string npc, string attitude = "idle", SpeakOptions options = null)
        {
            return Ask(new SpeakRequest { Npc = npc, Attitude = attitude, Options = options }, "attitude");
        }

        /// <summary>Let the engine send more of a line; nothing happens for 0, or for a line that is not open.</summary>
        public void Credit(string line, int ms)
        {
            Book book;
            if (ms > 0 && Find(line, out book))
            {
                Say(_connection.NewRequest().Credit(line, Math.Min(ms, WireLimits.CreditCapMs)));
            }
        }

        /// <summary>Tell which sample of a line is heard now; lines that are not open are let be.</summary>
        public void Playhead(string line, long sample)
        {
            Book book;
            if (Find(line, out book) && (Welcome == null || Welcome.Can("playhead")))
            {
                Say(_connection.NewRequest().Playhead(line, Math.Max(0, Math.Min(sample, WireLimits.Most))));
            }
        }

        /// <summary>
        /// Stop a line. A <see cref="NpcEventKind.Cancelled"/> follows, or an <see cref="NpcEventKind.End"/> that crossed it. With
        /// <paramref name="heardSample"/> (<see cref="Playback.HeardSample"/>) what was heard is told exactly; −1: the engine estimates it.
        /// </summary>
        public void Cancel(string line, long heardSample = -1)
        {
            Book book;
            if (Find(line, out book))
            {
                if (heardSample >= 0)
                {
                    Playhead(line, heardSample);
                }

                Say(_connection.NewRequest().Cancel(line, "", false));
            }
        }

        /// <summary>Stop all lines of a character, those that wait too.</summary>
        public void CancelNpc(string npc)
        {
            if (!string.IsNullOrEmpty(npc) && Utf8.Chars(npc) <= WireLimits.NameChars)
            {
                Say(_connection.NewRequest().Cancel("", npc, false));
            }
        }

        /// <summary>Stop all lines of this client.</summary>
        public void CancelAll()
        {
            Say(_connection.NewRequest().Cancel("", "", true));
        }

        /// <summary>Have a character loaded and, with a text, its speech made into the engine's cache; a <see cref="NpcEventKind.Warmed"/> or an error of the returned id follows.</summary>
        public string Warm(string npc, string text = "", SpeakOptions options = null)
        {
            string id = NewId();
            try
            {
                options = options ?? Defaults;
                Checks.Check(npc ?? "", text ?? "", options);
                _warms.Add(id, _clock.ElapsedMilliseconds);
                Say(_connection.NewRequest().Warm(id, npc ?? "", text ?? "", options));
            }
            catch (WireException fault)
            {
                MakeUp(fault.Code, fault.Message, "", true).Id = id;
            }

            return id;
        }

        /// <summary>Ask who can speak: <see cref="NpcEventKind.Cast"/> follows.</summary>
        public void AskCast()
        {
            Say(_connection.NewRequest().List());
        }

        /// <summary>Ask how this client is served: <see cref="NpcEventKind.Stats"/> follows.</summary>
        public void AskStats()
        {
            Say(_connection.NewRequest().Report());
        }

        /// <summary>Ask for a <see cref="NpcEventKind.Pong"/> with this mark, 0 … 2^52.</summary>
        public void Ping(long mark = 0)
        {
            Say(_connection.NewRequest().Ping(Math.Max(0, Math.Min(mark, WireLimits.Most / 2))));
        }

        /// <summary>Whether a line has not ended, as far as events were taken.</summary>
        public bool IsOpen(string line)
        {
            Book book;
            return Find(line, out book);
        }

        private string NewId()
        {
            _made++;
            return _prefix + "-" + _made.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }
}
