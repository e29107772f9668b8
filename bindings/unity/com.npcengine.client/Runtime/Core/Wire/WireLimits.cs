namespace NpcEngine
{
    /// <summary>How much of anything may cross the wire, as PROTOCOL.md prints it.</summary>
    public static class WireLimits
    {
        /// <summary>Of the wire.</summary>
        public const int Version = 1;

        internal const int HeaderBytes = 262144;
        internal const int PayloadBytes = 33554432;
        internal const int Depth = 16; // maps and lists in one another
        internal const int Items = 4096; // entries of one map or list
        internal const int Frames = 4; // of a message
        internal const int TextChars = 20000;
        internal const int IdChars = 64;
        internal const int NameChars = 64;
        internal const int NoteChars = 2000;
        internal const int CreditCapMs = 10000;
        internal const int LastsMs = 86400000;
        internal const int WaitMs = 86400000;
        internal const int DeadlineMs = 600000;
        internal const int LeastSoundRate = 8000;
        internal const int MostSoundRate = 48000;
        internal const int LeastPicture = 32;
        internal const int MostPicture = 2048;
        internal const int MostPictureEvery = 50;
        internal const int MostPriority = 100;
        internal const long Most = 1L << 53; // whole numbers that every language's double can hold
    }
}
