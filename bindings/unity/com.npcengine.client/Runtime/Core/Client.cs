using System;
using System.Collections.Generic;
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

        /// <summary>Nothing is sent before <see cref="Connect"/>.</summary>
        /// <exception cref="ArgumentException">The address is none, or the name is too long.</exception>
        /// <exception cref="KeysException">A key is none, or one of the two lacks.</exception>
        public Client(ClientOptions options = null) { throw new NotImplementedException(); }

        /// <summary>Whether an engine is there and has greeted, as far as events were taken.</summary>
        public bool Connected { get { throw new NotImplementedException(); } }

        /// <summary>What the engine said of itself at its last greeting; null before the first.</summary>
        public Welcome Welcome { get; private set; }

        /// <summary>How many lines have not ended, as far as events were taken.</summary>
        public int OpenLines { get { throw new NotImplementedException(); } }

        /// <summary>Begin to connect, and connect again whenever the connection breaks. Returns at once; once is enough.</summary>
        public void Connect() { throw new NotImplementedException(); }

        /// <summary>
        /// The next event, in order; false if there is none. Take all of them each frame. The event and its arrays hold until the next call.
        /// </summary>
        public bool Next(out NpcEvent told) { throw new NotImplementedException(); }

        /// <summary>
        /// Ask for a line and return its id at once. Without a connection it waits for one, <see cref="ClientOptions.WaitForEngineMs"/>.
        /// What can't be done is told by an <see cref="NpcEventKind.Error"/> of this id.
        /// </summary>
        public string Speak(string npc, string text, SpeakOptions options = null) { throw new NotImplementedException(); }

        /// <summary>Ask for a line whose text is still being written: <see cref="Append"/> adds to it, <see cref="Commit"/> ends it.</summary>
        public string SpeakOpen(string npc, string beginning = "", SpeakOptions options = null) { throw new NotImplementedException(); }

        /// <summary>More text of an open line, cut anywhere. Lines that are not open are let be.</summary>
        public void Append(string line, string text) { throw new NotImplementedException(); }

        /// <summary>The text or the live sound of a line is complete: the rest is spoken. Lines that are not open are let be.</summary>
        public void Commit(string line) { throw new NotImplementedException(); }

        /// <summary>Let a character say live sound, of a microphone or a voice chat: it follows by <see cref="Hear"/>, at this rate, until <see cref="Commit"/>.</summary>
        public string Live(string npc, int rate, SpeakOptions options = null) { throw new NotImplementedException(); }

        /// <summary>More sound of a live line, −1 … 1, mono, at its rate; 10 to 40 ms at a time is best. Lines that are not open are let be.</summary>
        public void Hear(string line, float[] sound, int offset, int count) { throw new NotImplementedException(); }

        /// <summary>Let a character live without saying anything, "idle" or "listening", until it is cancelled or says something.</summary>
        public string Idle(string npc, string attitude = "idle", SpeakOptions options = null) { throw new NotImplementedException(); }

        /// <summary>Let the engine send more of a line; nothing happens for 0, or for a line that is not open.</summary>
        public void Credit(string line, int ms) { throw new NotImplementedException(); }

        /// <summary>Tell which sample of a line is heard now; lines that are not open are let be.</summary>
        public void Playhead(string line, long sample) { throw new NotImplementedException(); }

        /// <summary>
        /// Stop a line. A <see cref="NpcEventKind.Cancelled"/> follows, or an <see cref="NpcEventKind.End"/> that crossed it. With
        /// <paramref name="heardSample"/> (<see cref="Playback.HeardSample"/>) what was heard is told exactly; −1: the engine estimates it.
        /// </summary>
        public void Cancel(string line, long heardSample = -1) { throw new NotImplementedException(); }

        /// <summary>Stop all lines of a character, those that wait too.</summary>
        public void CancelNpc(string npc) { throw new NotImplementedException(); }

        /// <summary>Stop all lines of this client.</summary>
        public void CancelAll() { throw new NotImplementedException(); }

        /// <summary>Have a character loaded and, with a text, its speech made into the engine's cache; a <see cref="NpcEventKind.Warmed"/> or an error of the returned id follows.</summary>
        public string Warm(string npc, string text = "", SpeakOptions options = null) { throw new NotImplementedException(); }

        /// <summary>Ask who can speak: <see cref="NpcEventKind.Cast"/> follows.</summary>
        public void AskCast() { throw new NotImplementedException(); }

        /// <summary>Ask how this client is served: <see cref="NpcEventKind.Stats"/> follows.</summary>
        public void AskStats() { throw new NotImplementedException(); }

        /// <summary>Ask for a <see cref="NpcEventKind.Pong"/> with this mark, 0 … 2^52.</summary>
        public void Ping(long mark = 0) { throw new NotImplementedException(); }

        /// <summary>Whether a line has not ended, as far as events were taken.</summary>
        public bool IsOpen(string line) { throw new NotImplementedException(); }

        /// <summary>End the connection; the engine stops what it was saying. No thread is left. Takes at most <see cref="ClientOptions.LingerMs"/>; may be called twice.</summary>
        public void Dispose() { throw new NotImplementedException(); }
    }
}
