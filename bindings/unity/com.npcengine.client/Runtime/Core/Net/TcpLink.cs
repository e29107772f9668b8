using System;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace NpcEngine.Net
{
    /// <summary>
    /// Bytes to and from an engine. Reading waits in short portions, so that a connection that shall end does so at once on every
    /// runtime, whatever closing a socket under a waiting thread does there.
    /// </summary>
    internal sealed class TcpLink : IDisposable
    {
        private const int PortionMs = 100;
        private const int BufferBytes = 65536;

        private readonly Socket _socket;
        private readonly Func<bool> _isStopped;
        private readonly byte[] _buffer = new byte[BufferBytes];
        private int _at;
        private int _end;

        private TcpLink(Socket socket, Func<bool> isStopped)
        {
            _socket = socket;
            _isStopped = isStopped;
        }

        /// <summary>Called each time that reading waits, and when something has come (true); raises to give up.</summary>
        internal Action<bool> Watch { get; set; }

        internal static TcpLink Connect(Address address, int timeoutMs, Func<bool> isStopped)
        {
            var clock = Stopwatch.StartNew();
            Exception last = null;
            foreach (IPAddress ip in Resolve(address, timeoutMs, isStopped))
            {
                try
                {
                    return new TcpLink(ConnectTo(ip, address, timeoutMs - (int)clock.ElapsedMilliseconds, isStopped), isStopped);
                }
                catch (SocketException error)
                {
                    last = error;
                }
            }

            string reason = last == null ? "it has no address" : last.Message;
            throw new LinkException(
                Codes.Unreachable, "no engine answers at " + address + " (" + reason + "); start one with npc-engine serve");
        }

        private static IPAddress[] Resolve(Address address, int timeoutMs, Func<bool> isStopped)
        {
            IPAddress literal;
            if (IPAddress.TryParse(address.Host, out literal))
            {
                return new[] { literal };
            }

            try
            {
                // the system's resolver can't be interrupted: it is left to the pool, which ends with it
                IAsyncResult asked = Dns.BeginGetHostAddresses(address.Host, null, null);
                for (int waited = 0; !asked.AsyncWaitHandle.WaitOne(PortionMs); waited += PortionMs)
                {
                    if (isStopped() || waited >= timeoutMs)
                    {
                        throw new LinkException(
                            Codes.Unreachable, "the name " + address.Host + " was not found within " + timeoutMs + " ms");
                    }
                }

                return Dns.EndGetHostAddresses(asked);
            }
            catch (SocketException error)
            {
                throw new LinkException(
                    Codes.Unreachable, "there is no host " + address.Host + " (" + error.Message + "): is " + address + " right?");
            }
            catch (ArgumentException error)
            {
                throw new LinkException(Codes.Unreachable, "there can be no host " + address.Host + " (" + error.Message + ")");
            }
        }

        private static Socket ConnectTo(IPAddress ip, Address address, int timeoutMs, Func<bool> isStopped)
        {
            var socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.NoDelay = true;
                socket.Blocking = false;
                try
                {
                    socket.Connect(new IPEndPoint(ip, address.Port));
                }
                catch (SocketException error)
                {
                    if (error.SocketErrorCode != SocketError.WouldBlock && error.SocketErrorCode != SocketError.InProgress)
                    {
                        throw;
                    }

                    WaitConnected(socket, timeoutMs, isStopped);
                }

                socket.Blocking = true;
                return socket;
            }
            catch
            {
                socket.Close();
                throw;
            }
        }

        private static void WaitConnected(Socket socket, int timeoutMs, Func<bool> isStopped)
        {
            var clock = Stopwatch.StartNew();
            while (!socket.Poll(PortionMs * 1000, SelectMode.SelectWrite))
            {
                if (socket.Poll(0, SelectMode.SelectError))
                {
                    break;
                }

                if (isStopped() || clock.ElapsedMilliseconds >= timeoutMs)
                {
                    throw new SocketException((int)SocketError.TimedOut);
                }
            }

            var error = (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error);
            if (error != 0)
            {
                throw new SocketException(error);
            }
        }

        /// <summary>Send all of it, or raise.</summary>
        internal void Send(byte[] data, int offset, int count)
        {
            while (count > 0)
            {
                SocketError error;
                int sent = _socket.Send(data, offset, count, SocketFlags.None, out error);
                if (error != SocketError.Success || sent < 1)
                {
                    throw new SocketException((int)error);
                }

                offset += sent;
                count -= sent;
            }
        }

        internal byte ReadByte()
        {
            if (_at == _end)
            {
                Fill();
            }

            return _buffer[_at++];
        }

        internal void Read(byte[] into, int offset, int count)
        {
            while (count > 0)
            {
                if (_at == _end)
                {
                    Fill();
                }

                int now = Math.Min(count, _end - _at);
                Buffer.BlockCopy(_buffer, _at, into, offset, now);
                _at += now;
                offset += now;
                count -= now;
            }
        }

        /// <summary>Wake whoever reads or writes; both then raise.</summary>
        internal void Shutdown()
        {
            try
            {
                _socket.Shutdown(SocketShutdown.Both);
            }
            catch (SocketException)
            {
                // the other side was quicker
            }
            catch (ObjectDisposedException)
            {
                // this side was quicker
            }
        }

        public void Dispose()
        {
            _socket.Close();
        }

        private void Fill()
        {
            while (!_socket.Poll(PortionMs * 1000, SelectMode.SelectRead))
            {
                if (_isStopped())
                {
                    throw new LinkException(Codes.Disconnected, "the client was closed");
                }

                if (Watch != null)
                {
                    Watch(false);
                }
            }

            SocketError error;
            int came = _socket.Receive(_buffer, 0, _buffer.Length, SocketFlags.None, out error);
            if (error != SocketError.Success)
            {
                throw new SocketException((int)error);
            }

            if (came < 1)
            {
                throw new LinkException(Codes.Disconnected, "the other side closed the connection");
            }

            _at = 0;
            _end = came;
            if (Watch != null)
            {
                Watch(true);
            }
        }
    }
}
