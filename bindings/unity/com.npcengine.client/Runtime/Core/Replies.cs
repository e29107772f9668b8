using System.Collections.Generic;

namespace NpcEngine
{
    /// <summary>A word of the line's text, and when it sounds.</summary>
    public struct NpcWord
    {
        /// <summary>The word as it stands in the text.</summary>
        public string Text;

        /// <summary>The first sample of the line in which it sounds.</summary>
        public long Start;

        /// <summary>The sample after the last.</summary>
        public long End;

        /// <summary>Its first character in the line's text, counted in Unicode characters (a letter beyond U+FFFF counts once).</summary>
        public long First;

        /// <summary>The character after its last.</summary>
        public long Last;
    }

    /// <summary>What an engine is and allows.</summary>
    public sealed class Welcome
    {
        internal readonly List<string> ChannelList = new List<string>();
        internal readonly List<string> CapabilityList = new List<string>();
        internal readonly List<string> Arkit52List = new List<string>();
        internal readonly List<string> Visemes15List = new List<string>();

        /// <summary>The wire version, 1.</summary>
        public long Version { get; internal set; }

        /// <summary>The engine's release, for logs.</summary>
        public string Engine { get; internal set; }

        /// <summary>Names of the coefficients, in their order.</summary>
        public IReadOnlyList<string> Channels { get { return ChannelList; } }

        /// <summary>Message kinds that this engine answers, and what else it can.</summary>
        public IReadOnlyList<string> Capabilities { get { return CapabilityList; } }

        /// <summary>Names of the coefficients that <see cref="SpeakOptions.Coefficients"/> "arkit52" brings.</summary>
        public IReadOnlyList<string> Arkit52 { get { return Arkit52List; } }

        /// <summary>Names of the coefficients that <see cref="SpeakOptions.Coefficients"/> "visemes15" brings.</summary>
        public IReadOnlyList<string> Visemes15 { get { return Visemes15List; } }

        /// <summary>24,000.</summary>
        public long SampleRate { get; internal set; }

        /// <summary>20.</summary>
        public long TickMs { get; internal set; }

        /// <summary>Lines that may be open at once on a connection.</summary>
        public long OpenLines { get; internal set; }

        /// <summary>Characters that a line's text may have.</summary>
        public long TextChars { get; internal set; }

        /// <summary>Credit that may be unused at once, of a line.</summary>
        public long CreditCapMs { get; internal set; }

        /// <summary>Whether this engine answers a kind of message, or knows a capability.</summary>
        public bool Can(string capability)
        {
            return CapabilityList.Contains(capability);
        }
    }

    /// <summary>A character that can speak.</summary>
    public sealed class NpcEntry
    {
        /// <summary>The name that <see cref="Client.Speak"/> takes.</summary>
        public string Name { get; internal set; }

        /// <summary>Its voice.</summary>
        public string Voice { get; internal set; }

        /// <summary>Its face; "" has none: ask no pictures of it.</summary>
        public string Face { get; internal set; }

        /// <summary>What its author says of it.</summary>
        public string About { get; internal set; }
    }

    /// <summary>Who can speak, and the voices and faces there are.</summary>
    public sealed class NpcCast
    {
        internal readonly List<NpcEntry> NpcList = new List<NpcEntry>();
        internal readonly List<string> VoiceList = new List<string>();
        internal readonly List<string> FaceList = new List<string>();

        /// <summary>The characters.</summary>
        public IReadOnlyList<NpcEntry> Npcs { get { return NpcList; } }

        /// <summary>Names for <see cref="SpeakOptions.Voice"/>.</summary>
        public IReadOnlyList<string> Voices { get { return VoiceList; } }

        /// <summary>Names for <see cref="SpeakOptions.Face"/>.</summary>
        public IReadOnlyList<string> Faces { get { return FaceList; } }
    }

    /// <summary>How this client is served since its greeting, and how busy the engine is.</summary>
    public sealed class NpcStats
    {
        /// <summary>Lines of this client that are open.</summary>
        public long Lines { get; internal set; }

        /// <summary>Of them, those that wait for their character's turn.</summary>
        public long Waiting { get; internal set; }

        /// <summary>Milliseconds of sound that are made and not sent, for want of credit.</summary>
        public long QueuedMs { get; internal set; }

        /// <summary>Milliseconds of sound that were sent.</summary>
        public long SentMs { get; internal set; }

        /// <summary>Pictures that were sent.</summary>
        public long Pictures { get; internal set; }

        /// <summary>Pictures that were left out, for want of time.</summary>
        public long Thinned { get; internal set; }

        /// <summary>Pictures that were sent smaller than asked, for want of time.</summary>
        public long Shrunk { get; internal set; }

        /// <summary>Pictures whose expression the identity guard held back.</summary>
        public long Damped { get; internal set; }

        /// <summary>Lines refused or given up, for want of room or time.</summary>
        public long Refused { get; internal set; }

        /// <summary>From asking to the first moment, median of the last lines.</summary>
        public long FirstMomentMs { get; internal set; }

        /// <summary>Lines that are open, of all clients.</summary>
        public long EngineLines { get; internal set; }

        /// <summary>How busy the engine's cores are.</summary>
        public long LoadPercent { get; internal set; }
    }

    internal static class Nothing
    {
        internal static readonly float[] Floats = new float[0];
        internal static readonly byte[] Bytes = new byte[0];
    }
}
