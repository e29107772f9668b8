using System.Collections.Generic;

namespace NpcEngine
{
    /// <summary>What an <see cref="NpcEvent"/> tells.</summary>
    public enum NpcEventKind
    {
        /// <summary>An engine is there and has greeted: <see cref="Client.Welcome"/> tells what it can do.</summary>
        Connected,

        /// <summary>The connection broke. An <see cref="Error"/> of code "disconnected" follows for each open line; the client connects again by itself.</summary>
        Disconnected,

        /// <summary>No engine answers. <see cref="NpcEvent.Text"/> says what may be wrong; the client goes on trying. Told once until the reason changes.</summary>
        Trouble,

        /// <summary>The engine is there and will never let this client in. <see cref="NpcEvent.Text"/> says why; the client connects no more.</summary>
        Refused,

        /// <summary>A line will be spoken. <see cref="NpcEvent.Picture"/> is the face at rest, where pictures were asked.</summary>
        Accepted,

        /// <summary>Words that sound from now on, in <see cref="NpcEvent.Words"/>.</summary>
        Words,

        /// <summary>A mark of the text's markup: <see cref="NpcEvent.Name"/> at <see cref="NpcEvent.Tick"/>.</summary>
        Mark,

        /// <summary>Ticks of a line: sound, coefficients, and at most one new picture.</summary>
        Moment,

        /// <summary>A line is complete.</summary>
        End,

        /// <summary>A line was cut; <see cref="NpcEvent.Heard"/> is what was heard of its text.</summary>
        Cancelled,

        /// <summary>Something went wrong: <see cref="NpcEvent.Code"/> for programs, <see cref="NpcEvent.Text"/> for people.</summary>
        Error,

        /// <summary>The answer to <see cref="Client.Ping"/>.</summary>
        Pong,

        /// <summary>The answer to <see cref="Client.Warm"/>.</summary>
        Warmed,

        /// <summary>The answer to <see cref="Client.AskCast"/>, in <see cref="NpcEvent.Cast"/>.</summary>
        Cast,

        /// <summary>The answer to <see cref="Client.AskStats"/>, in <see cref="NpcEvent.Stats"/>.</summary>
        Stats,
    }

    /// <summary>
    /// One thing that the engine, or the connection, has told. Events are used again: what <see cref="Client.Next"/> gave out, and
    /// its arrays, may be read until <see cref="Client.Next"/> is called again.
    /// </summary>
    public sealed class NpcEvent
    {
        /// <summary>Words of a <see cref="NpcEventKind.Words"/>.</summary>
        public readonly List<NpcWord> Words = new List<NpcWord>();

        /// <summary>Samples −1 … 1, mono, 24 kHz; the first <see cref="SoundSamples"/> count, the rest is of older events.</summary>
        public float[] Sound = Nothing.Floats;

        /// <summary>Coefficients, tick after tick; <see cref="Channels"/> × <see cref="Ticks"/> count.</summary>
        public float[] Coefficients = Nothing.Floats;

        /// <summary>An image file, as the engine sent it; the first <see cref="PictureBytes"/> count.</summary>
        public byte[] Picture = Nothing.Bytes;

        /// <summary>What this tells.</summary>
        public NpcEventKind Kind { get; internal set; }

        /// <summary>The line it belongs to, "" if to none.</summary>
        public string Line { get; internal set; }

        /// <summary>The id of the <see cref="Client.Warm"/> it belongs to, "" if to none.</summary>
        public string Id { get; internal set; }

        /// <summary>Error: its code, as in PROTOCOL.md, or one of <see cref="Codes"/>. Refused, Trouble: one of <see cref="Codes"/>.</summary>
        public string Code { get; internal set; }

        /// <summary>For people. Error, Trouble, Refused: what came and what was expected. Cancelled: the reason.</summary>
        public string Text { get; internal set; }

        /// <summary>Mark: its name. Warmed: the character, if one was named.</summary>
        public string Name { get; internal set; }

        /// <summary>Warmed: the voice, if one was named.</summary>
        public string Voice { get; internal set; }

        /// <summary>Cancelled: the line's text up to the last word that was heard to its end.</summary>
        public string Heard { get; internal set; }

        /// <summary>Cancelled: where that ends in the line's text, in Unicode characters.</summary>
        public int HeardChars { get; internal set; }

        /// <summary>Error: nothing more of the line (or of the warming) comes.</summary>
        public bool Ends { get; internal set; }

        /// <summary>Error: milliseconds after which it may go better; 0: nobody knows.</summary>
        public int WaitMs { get; internal set; }

        /// <summary>Accepted: lines of its character that end before it begins.</summary>
        public long Place { get; internal set; }

        /// <summary>Moment: its first tick. Mark: the tick in which it stands. A tick is 20 ms.</summary>
        public long Tick { get; internal set; }

        /// <summary>Moment: how many ticks. End, Cancelled: ticks 0 to this − 1 were sent.</summary>
        public long Ticks { get; internal set; }

        /// <summary>Moment: samples in <see cref="Sound"/>; 0 if none came.</summary>
        public int SoundSamples { get; internal set; }

        /// <summary>Moment: coefficients a tick, 50, 52 or 15; 0 if none came.</summary>
        public int Channels { get; internal set; }

        /// <summary>Moment, Accepted: bytes in <see cref="Picture"/>; 0 if none came.</summary>
        public int PictureBytes { get; internal set; }

        /// <summary>Moment: from which tick on the picture is shown; −1 if none came.</summary>
        public long PictureTick { get; internal set; }

        /// <summary>Pong: the mark of the ping.</summary>
        public long Number { get; internal set; }

        /// <summary>Warmed: characters of the text that was spoken into the engine's cache.</summary>
        public long TextChars { get; internal set; }

        /// <summary>Warmed: milliseconds of speech.</summary>
        public long Ms { get; internal set; }

        /// <summary>Connected: what the engine can do.</summary>
        public Welcome Welcome { get; internal set; }

        /// <summary>Cast: who can speak.</summary>
        public NpcCast Cast { get; internal set; }

        /// <summary>Stats: how this client is served.</summary>
        public NpcStats Stats { get; internal set; }

        /// <summary>The connection by which it came, counted.</summary>
        internal int Generation { get; set; }

        internal NpcEvent()
        {
            Clear(NpcEventKind.Error);
        }

        /// <summary>Forget everything but the buffers.</summary>
        internal void Clear(NpcEventKind kind)
        {
            Kind = kind;
            Line = Id = Code = Text = Name = Voice = Heard = "";
            HeardChars = WaitMs = SoundSamples = Channels = PictureBytes = 0;
            Place = Tick = Ticks = Number = TextChars = Ms = 0;
            PictureTick = -1;
            Ends = true;
            Welcome = null;
            Cast = null;
            Stats = null;
            Words.Clear();
        }

        /// <summary>For logs.</summary>
        public override string ToString()
        {
            string what = Code.Length > 0 ? Code + ": " + Text : Text;
            return Kind + (Line.Length > 0 ? " of " + Line : "") + (what.Length > 0 ? ": " + what : "");
        }
    }

    /// <summary>Codes of errors that the client makes up itself; PROTOCOL.md lists the engine's.</summary>
    public static class Codes
    {
        /// <summary>The connection broke, or none came to be: the line is lost, speak anew.</summary>
        public const string Disconnected = "disconnected";

        /// <summary>The engine did not answer in time.</summary>
        public const string NoAnswer = "no-answer";

        /// <summary>No such host, nobody listens there, or what listens is no engine.</summary>
        public const string Unreachable = "unreachable";

        /// <summary>The engine does not let this client's key in, or one side asks for keys and the other has none.</summary>
        public const string Refused = "refused";

        /// <summary>The engine speaks another version of the wire.</summary>
        public const string BadVersion = "bad-version";

        /// <summary>What was asked, or came, breaks the rules of PROTOCOL.md.</summary>
        public const string BadMessage = "bad-message";
    }
}
