using System;
using NpcEngine.Wire;

namespace NpcEngine.Net
{
    /// <summary>ZMTP without keys, as engines speak it on loopback.</summary>
    internal sealed class NullZmtp : Zmtp
    {
        internal NullZmtp(TcpLink link) : base(link)
        {
        }

        protected override string Mechanism { get { return "NULL"; } }

        protected override int Extra { get { return 0; } }

        protected override bool SealsCommands { get { return false; } }

        protected override void Agree(Address address)
        {
            byte[] ready = Named("READY", Metadata());
            WriteCommand(ready, ready.Length);
            Flush();
            try
            {
                int offset, count;
                byte[] theirs = ReadCommand("READY", out offset, out count);
                CheckPeer(theirs, offset, count);
            }
            catch (LinkException error)
            {
                throw error.Code == Codes.Disconnected
                    ? error
                    : new LinkException(error.Code, "what listens at " + address + " refused: " + error.Message);
            }
        }

        protected override void TakeFrame(int flags, byte[] data, int count, Frames frames, CommandHandler onCommand)
        {
            AddFrame(frames, 0, count, (flags & More) != 0);
        }

        protected override void PutFrame(byte[] data, int offset, int count, int flags)
        {
            int at;
            byte[] into = PutHead(flags, count, out at);
            Buffer.BlockCopy(data, offset, into, at, count);
        }
    }
}
