using System;
using System.Text;
using NpcEngine.Wire;

namespace NpcEngine.Net
{
    /// <summary>
    /// ZMTP 3.0 (https://rfc.zeromq.org/spec/23) as a DEALER: greeting, frames and commands. How a connection begins and what
    /// its frames look like is up to the mechanism: <see cref="NullZmtp"/> or <see cref="CurveZmtp"/>. One thread reads; writing is for
    /// one thread at a time.
    /// </summary>
    internal abstract class Zmtp
    {
        protected const int More = 1;
        protected const int Large = 2;
        protected const int Command = 4;

        private const int GreetingBytes = 64;
        private const int VersionBytes = 11; // of a greeting: its signature, and what version is spoken
        private const int HeadBytes = 9;

        protected readonly TcpLink Link;

        private byte[] _out = new byte[1024];
        private int _outCount;
        private readonly byte[] _command = new byte[WireLimits.HeaderBytes]; // a longer one is broken
        private bool _inMessage;

        protected Zmtp(TcpLink link)
        {
            Link = link;
        }

        /// <summary>A command that came between messages: its name and where its body lies. It holds until the next read.</summary>
        internal delegate void CommandHandler(byte[] data, int offset, int count);

        protected abstract string Mechanism { get; }

        /// <summary>Bytes by which a frame grows on its way.</summary>
        protected abstract int Extra { get; }

        /// <summary>Whether a command comes sealed like a message, so that one that is not is none.</summary>
        protected abstract bool SealsCommands { get; }

        /// <summary>Greet and agree; raises <see cref="LinkException"/> if that fails.</summary>
        internal void Begin(Address address)
        {
            var greeting = new byte[GreetingBytes];
            greeting[0] = 0xFF;
            greeting[9] = 0x7F;
            greeting[10] = 3;
            Encoding.ASCII.GetBytes(Mechanism, 0, Mechanism.Length, greeting, 12);
            Link.Send(greeting, 0, VersionBytes); // libzmq ends a connection at a mechanism that it does not like: let it name its own first
            var theirs = new byte[GreetingBytes];
            Link.Read(theirs, 0, 1);
            if (theirs[0] != 0xFF)
            {
                throw new LinkException(Codes.Unreachable, "what listens at " + address + " is no engine: it does not greet as ZeroMQ does");
            }

            Link.Read(theirs, 1, VersionBytes - 1);
            if ((theirs[9] & 1) != 1 || theirs[10] < 3)
            {
                throw new LinkException(Codes.Unreachable, "what listens at " + address + " speaks a ZeroMQ before 4.0, or none");
            }

            Link.Read(theirs, VersionBytes, GreetingBytes - VersionBytes);
            string mechanism = Encoding.ASCII.GetString(theirs, 12, 20).TrimEnd('\0');
            if (mechanism != Mechanism)
            {
                throw new LinkException(
                    Codes.Refused,
                    mechanism == "CURVE"
                        ? "the engine at " + address + " asks for keys: ServerKey and Key, made by npc-engine keys new --client NAME"
                        : "the engine at " + address + " asks for " + (mechanism == "NULL" ? "no keys" : mechanism)
                            + ", but was given some: leave ServerKey and Key out, or start it with --keys");
            }

            Link.Send(greeting, VersionBytes, GreetingBytes - VersionBytes);
            Agree(address);
        }

        protected abstract void Agree(Address address);

        /// <summary>Read up to the end of the next message.</summary>
        internal void ReadMessage(Frames frames, CommandHandler onCommand)
        {
            frames.Clear();
            _inMessage = true;
            while (_inMessage)
            {
                int flags = Link.ReadByte();
                long size = ReadSize(flags);
                if ((flags & Command) != 0 && !SealsCommands)
                {
                    int count = ReadCommand(size);
                    onCommand(_command, 0, count);
                }
                else
                {
                    if (size > WireLimits.PayloadBytes + Extra)
                    {
                        throw new LinkException(
                            Codes.BadMessage,
                            "the engine sent a frame of " + size + " bytes, expected at most " + WireLimits.PayloadBytes);
                    }

                    byte[] data = frames.Next((int)size);
                    Link.Read(data, 0, (int)size);
                    TakeFrame(flags, data, (int)size, frames, onCommand);
                }
            }
        }

        protected abstract void TakeFrame(int flags, byte[] data, int count, Frames frames, CommandHandler onCommand);

        /// <summary>A frame of the message has come.</summary>
        protected void AddFrame(Frames frames, int offset, int count, bool more)
        {
            frames.Add(offset, count);
            _inMessage = more;
        }

        /// <summary>Read a command as it is sent while the connection is agreed upon; its name must be the one expected.</summary>
        protected byte[] ReadCommand(string name, out int offset, out int count)
        {
            int flags = Link.ReadByte();
            int size = ReadCommand(ReadSize(flags));
            string came = size > 0 && _command[0] < size ? Encoding.ASCII.GetString(_command, 1, _command[0]) : "";
            offset = 1 + came.Length;
            count = size - offset;
            if (came == "ERROR")
            {
                string reason = count > 0 ? Encoding.ASCII.GetString(_command, offset + 1, Math.Min(_command[offset], count - 1)) : "";
                throw new LinkException(Codes.Refused, reason);
            }

            if ((flags & Command) == 0 || came != name)
            {
                throw new LinkException(Codes.Unreachable, "it sent the command '" + came + "', expected " + name);
            }

            return _command;
        }

        private long ReadSize(int flags)
        {
            if ((flags & ~(More | Large | Command)) != 0)
            {
                throw new LinkException(Codes.BadMessage, "the engine sent a frame of flags " + flags + ", expected 0 to 7");
            }

            if ((flags & Large) == 0)
            {
                return Link.ReadByte();
            }

            ulong size = 0;
            for (int i = 0; i < 8; i++)
            {
                size = size << 8 | Link.ReadByte();
            }

            return size > long.MaxValue ? long.MaxValue : (long)size;
        }

        private int ReadCommand(long size)
        {
            if (size > _command.Length)
            {
                throw new LinkException(
                    Codes.BadMessage, "the engine sent a command of " + size + " bytes, expected at most " + _command.Length);
            }

            Link.Read(_command, 0, (int)size);
            return (int)size;
        }

        /// <summary>Write a message; it leaves with <see cref="Flush"/>.</summary>
        internal void Write(Request request)
        {
            PutFrame(request.Header.Data, request.Header.Start, request.Header.Count, request.PayloadBytes > 0 ? More : 0);
            if (request.PayloadBytes > 0)
            {
                PutFrame(request.Payload, 0, request.PayloadBytes, 0);
            }
        }

        /// <summary>Write a command, whose bytes begin with its name; it leaves with <see cref="Flush"/>.</summary>
        internal void WriteCommand(byte[] data, int count)
        {
            PutFrame(data, 0, count, Command);
        }

        internal void Flush()
        {
            Link.Send(_out, 0, _outCount);
            _outCount = 0;
        }

        protected abstract void PutFrame(byte[] data, int offset, int count, int flags);

        /// <summary>Put a frame's head; where its body of <paramref name="count"/> bytes goes.</summary>
        protected byte[] PutHead(int flags, int count, out int at)
        {
            if (_outCount + HeadBytes + count > _out.Length)
            {
                Array.Resize(ref _out, Math.Max(2 * _out.Length, _outCount + HeadBytes + count));
            }

            if (count > 255)
            {
                _out[_outCount++] = (byte)(flags | Large);
                for (int i = 7; i >= 0; i--)
                {
                    _out[_outCount++] = (byte)((long)count >> (8 * i));
                }
            }
            else
            {
                _out[_outCount++] = (byte)flags;
                _out[_outCount++] = (byte)count;
            }

            at = _outCount;
            _outCount += count;
            return _out;
        }

        /// <summary>What a connection tells of itself: that it is a DEALER. An identity would let another client take our place.</summary>
        protected static byte[] Metadata()
        {
            const string Name = "Socket-Type";
            const string Value = "DEALER";
            var data = new byte[1 + Name.Length + 4 + Value.Length];
            data[0] = (byte)Name.Length;
            Encoding.ASCII.GetBytes(Name, 0, Name.Length, data, 1);
            data[1 + Name.Length + 3] = (byte)Value.Length;
            Encoding.ASCII.GetBytes(Value, 0, Value.Length, data, 1 + Name.Length + 4);
            return data;
        }

        /// <summary>Raise unless metadata tell of a ROUTER.</summary>
        protected static void CheckPeer(byte[] data, int at, int count)
        {
            int end = at + count;
            while (at < end)
            {
                int nameBytes = data[at++];
                if (at + nameBytes + 4 > end)
                {
                    break;
                }

                string name = Encoding.ASCII.GetString(data, at, nameBytes);
                at += nameBytes;
                long valueBytes = (long)data[at] << 24 | (long)data[at + 1] << 16 | (long)data[at + 2] << 8 | data[at + 3];
                at += 4;
                if (at + valueBytes > end)
                {
                    break;
                }

                string value = Encoding.ASCII.GetString(data, at, (int)valueBytes);
                at += (int)valueBytes;
                if (string.Equals(name, "Socket-Type", StringComparison.OrdinalIgnoreCase))
                {
                    if (value != "ROUTER")
                    {
                        throw new LinkException(Codes.Unreachable, "its socket is a " + value + ", an engine's is a ROUTER");
                    }

                    return;
                }
            }

            throw new LinkException(Codes.Unreachable, "it does not say what socket it has, expected a ROUTER");
        }

        /// <summary>A command of a name and a body.</summary>
        protected static byte[] Named(string name, params byte[][] parts)
        {
            int count = 1 + name.Length;
            foreach (byte[] part in parts)
            {
                count += part.Length;
            }

            var data = new byte[count];
            data[0] = (byte)name.Length;
            int at = 1 + Encoding.ASCII.GetBytes(name, 0, name.Length, data, 1);
            foreach (byte[] part in parts)
            {
                Buffer.BlockCopy(part, 0, data, at, part.Length);
                at += part.Length;
            }

            return data;
        }
    }
}
