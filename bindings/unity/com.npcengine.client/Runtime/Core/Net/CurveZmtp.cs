using System;
using System.Security.Cryptography;
using System.Text;
using NpcEngine.Crypto;
using NpcEngine.Wire;

namespace NpcEngine.Net
{
    /// <summary>
    /// ZMTP's mechanism CURVE (https://rfc.zeromq.org/spec/26): the engine's key is known beforehand, our own is shown to it alone, and
    /// each connection has keys of its own. Messages travel as boxes whose nonces only grow.
    /// </summary>
    internal sealed class CurveZmtp : Zmtp
    {
        private const int KeyBytes = Curve25519.Bytes;
        private const int CookieBytes = 96;
        private const int NonceAt = 8; // in a message: after 7 "MESSAGE"
        private const int BoxAt = NonceAt + 8;
        private const int TextAt = BoxAt + Box.TagBytes; // flags, then the frame

        private static readonly byte[] MessageName = Encoding.ASCII.GetBytes("\aMESSAGE");

        private readonly byte[] _serverKey;
        private readonly KeyPair _pair;
        private readonly Box _seal = new Box(); // of the thread that writes
        private readonly Box _open = new Box(); // of the thread that reads
        private readonly byte[] _sealNonce = Nonce("CurveZMQMESSAGEC");
        private readonly byte[] _openNonce = Nonce("CurveZMQMESSAGES");
        private byte[] _key; // of this connection
        private ulong _sent;
        private ulong _came;

        internal CurveZmtp(TcpLink link, byte[] serverKey, KeyPair pair) : base(link)
        {
            _serverKey = serverKey;
            _pair = pair;
        }

        protected override string Mechanism { get { return "CURVE"; } }

        protected override int Extra { get { return TextAt + 1; } }

        protected override bool SealsCommands { get { return true; } }

        protected override void Agree(Address address)
        {
            byte[] secret = RandomBytes(KeyBytes);
            byte[] shared = _open.Shared(_serverKey, secret);
            byte[] ours = Curve25519.Public(secret);
            Say("HELLO", new byte[] { 1, 0 }, new byte[72], ours, Short(), Sealed(new byte[64], "CurveZMQHELLO---", shared));
            byte[] welcome;
            try
            {
                welcome = Hear("WELCOME", 16, "WELCOME-", shared);
            }
            catch (LinkException error)
            {
                if (error.Code != Codes.Disconnected)
                {
                    throw;
                }

                throw new LinkException(
                    Codes.Unreachable,
                    "the engine at " + address + " broke off as keys were exchanged: is ServerKey that of this engine?");
            }

            if (welcome == null || welcome.Length != KeyBytes + CookieBytes)
            {
                throw new LinkException(Codes.Unreachable, "what listens at " + address + " has not the key that ServerKey belongs to");
            }

            byte[] theirs = Part(welcome, 0, KeyBytes);
            _key = _open.Shared(theirs, secret);
            byte[] vouchNonce = RandomBytes(16);
            byte[] vouch = Sealed(Joined(ours, _serverKey), Joined(Encoding.ASCII.GetBytes("VOUCH---"), vouchNonce), _open.Shared(theirs, _pair.SecretBytes));
            byte[] text = Joined(_pair.PublicBytes, vouchNonce, vouch, Metadata());
            Say("INITIATE", Part(welcome, KeyBytes, CookieBytes), Short(), Sealed(text, "CurveZMQINITIATE", _key));
            Array.Clear(secret, 0, secret.Length);
            byte[] ready;
            try
            {
                ready = Hear("READY", 8, "CurveZMQREADY---", _key);
            }
            catch (LinkException error)
            {
                throw error.Code != Codes.Refused ? error : Turned(address, error.Message);
            }

            if (ready == null)
            {
                throw new LinkException(Codes.Unreachable, "what listens at " + address + " sent a READY that is not sealed for us");
            }

            CheckPeer(ready, 0, ready.Length);
        }

        private LinkException Turned(Address address, string reason)
        {
            string who = _pair.Name.Length > 0 ? " of '" + _pair.Name + "'" : "";
            string name = _pair.Name.Length > 0 ? _pair.Name : "NAME";
            return new LinkException(
                Codes.Refused,
                "the engine at " + address + " does not let in the key" + who + " (" + reason + "); on its machine: npc-engine keys allow "
                + name + " '" + _pair.Public + "'; then make a new Client");
        }

        protected override void TakeFrame(int flags, byte[] data, int count, Frames frames, CommandHandler onCommand)
        {
            bool isMessage = count > TextAt && (flags & More) == 0;
            for (int i = 0; isMessage && i < NonceAt; i++)
            {
                isMessage = data[i] == MessageName[i];
            }

            if (!isMessage)
            {
                throw new LinkException(Codes.BadMessage, "the engine sent " + count + " bytes that are no MESSAGE of CURVE");
            }

            ulong number = 0;
            for (int i = 0; i < 8; i++)
            {
                _openNonce[16 + i] = data[NonceAt + i];
                number = number << 8 | data[NonceAt + i];
            }

            if (number <= _came || !_open.Open(data, BoxAt, count - BoxAt, _openNonce, _key))
            {
                throw new LinkException(Codes.BadMessage, "a message came that the engine has not sealed, or not for now");
            }

            _came = number;
            int inner = data[TextAt];
            int size = count - TextAt - 1;
            if ((inner & 2) != 0)
            {
                // the frame's buffer is free again when the command has been looked at
                var command = new byte[size];
                Buffer.BlockCopy(data, TextAt + 1, command, 0, size);
                onCommand(command, 0, size);
            }
            else
            {
                AddFrame(frames, TextAt + 1, size, (inner & 1) != 0);
            }
        }

        protected override void PutFrame(byte[] data, int offset, int count, int flags)
        {
            int at;
            byte[] into = PutHead(0, TextAt + 1 + count, out at);
            Buffer.BlockCopy(MessageName, 0, into, at, NonceAt);
            _sent++;
            Store(_sent, into, at + NonceAt);
            Store(_sent, _sealNonce, 16);
            into[at + TextAt] = (byte)((flags & More) | ((flags & Command) != 0 ? 2 : 0));
            Buffer.BlockCopy(data, offset, into, at + TextAt + 1, count);
            _seal.Seal(into, at + BoxAt, 1 + count, _sealNonce, _key);
        }

        /// <summary>Send a command as it is, as long as no messages can be sealed.</summary>
        private void Say(string name, params byte[][] parts)
        {
            byte[] command = Named(name, parts);
            int at;
            byte[] into = PutHead(Command, command.Length, out at);
            Buffer.BlockCopy(command, 0, into, at, command.Length);
            Flush();
        }

        /// <summary>The text in a command that is a nonce's end and a box; null if it is not sealed as expected.</summary>
        private byte[] Hear(string name, int nonceBytes, string prefix, byte[] key)
        {
            int offset, count;
            byte[] data = ReadCommand(name, out offset, out count);
            if (count < nonceBytes + Box.TagBytes)
            {
                return null;
            }

            byte[] nonce = Joined(Encoding.ASCII.GetBytes(prefix), Part(data, offset, nonceBytes));
            byte[] box = Part(data, offset + nonceBytes, count - nonceBytes);
            if (!_open.Open(box, 0, box.Length, nonce, key))
            {
                return null;
            }

            if (name == "READY")
            {
                for (int i = 0; i < 8; i++)
                {
                    _came = _came << 8 | nonce[16 + i];
                }
            }

            return Part(box, Box.TagBytes, box.Length - Box.TagBytes);
        }

        /// <summary>The next short nonce, which <see cref="Sealed(byte[], string, byte[])"/> then uses.</summary>
        private byte[] Short()
        {
            var number = new byte[8];
            Store(++_sent, number, 0);
            return number;
        }

        private byte[] Sealed(byte[] text, string prefix, byte[] key)
        {
            var number = new byte[8];
            Store(_sent, number, 0);
            return Sealed(text, Joined(Encoding.ASCII.GetBytes(prefix), number), key);
        }

        private byte[] Sealed(byte[] text, byte[] nonce, byte[] key)
        {
            byte[] box = Joined(new byte[Box.TagBytes], text);
            _open.Seal(box, 0, text.Length, nonce, key);
            return box;
        }

        private static byte[] Nonce(string prefix)
        {
            return Joined(Encoding.ASCII.GetBytes(prefix), new byte[8]);
        }

        private static void Store(ulong number, byte[] into, int at)
        {
            for (int i = 0; i < 8; i++)
            {
                into[at + i] = (byte)(number >> (56 - 8 * i));
            }
        }

        private static byte[] RandomBytes(int count)
        {
            var bytes = new byte[count];
            using (RandomNumberGenerator random = RandomNumberGenerator.Create())
            {
                random.GetBytes(bytes);
            }

            return bytes;
        }

        private static byte[] Part(byte[] data, int offset, int count)
        {
            var part = new byte[count];
            Buffer.BlockCopy(data, offset, part, 0, count);
            return part;
        }

        private static byte[] Joined(params byte[][] parts)
        {
            int count = 0;
            foreach (byte[] part in parts)
            {
                count += part.Length;
            }

            var data = new byte[count];
            int at = 0;
            foreach (byte[] part in parts)
            {
                Buffer.BlockCopy(part, 0, data, at, part.Length);
                at += part.Length;
            }

            return data;
        }
    }
}
