namespace NpcEngine
{
    /// <summary>Where the engine is, who we are, and how long anything may take.</summary>
    public sealed class ClientOptions
    {
        /// <summary>Where engines are by default.</summary>
        public const string DefaultAddress = "tcp://127.0.0.1:7890";

        /// <summary>tcp://HOST:PORT; an IPv6 address stands in brackets.</summary>
        public string Address = DefaultAddress;

        /// <summary>The game's name, for the engine's log; at most 64 characters.</summary>
        public string Name = "unity";

        /// <summary>The engine's public key: 40 characters, or the path of its server.pub. "" where it asks for no keys.</summary>
        public string ServerKey = "";

        /// <summary>The client's own key: the path of its .key file, or its secret key, 40 characters. "" where none is asked.</summary>
        public string Key = "";

        /// <summary>The text of a .key or .pub file instead of its path, for platforms where assets are no files.</summary>
        public KeyPair Pair;

        /// <summary>Within which a name must be found and TCP connected.</summary>
        public int ConnectTimeoutMs = 5000;

        /// <summary>Within which ZeroMQ's handshake must be through, and then the engine's welcome must come.</summary>
        public int HandshakeTimeoutMs = 5000;

        /// <summary>Within which a line must be accepted: a voice may have to be loaded.</summary>
        public int AcceptTimeoutMs = 30000;

        /// <summary>From one heartbeat to the next.</summary>
        public int HeartbeatMs = 2000;

        /// <summary>After how long without a sign of the other side the connection counts as broken; the engine's own thread gets half as long again.</summary>
        public int SilenceMs = 10000;

        /// <summary>How long a line that was asked while no engine is there waits for one.</summary>
        public int WaitForEngineMs = 5000;

        /// <summary>From a try that failed to the next at first; doubled with each, up to <see cref="ReconnectMostMs"/>, ± a quarter by chance.</summary>
        public int ReconnectMs = 50;

        /// <summary>The longest wait between two tries.</summary>
        public int ReconnectMostMs = 2000;

        /// <summary>How long what was said last may take to leave when the client closes; 0: it is thrown away.</summary>
        public int LingerMs = 200;
    }
}
