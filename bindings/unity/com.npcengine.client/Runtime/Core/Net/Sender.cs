using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Net.Sockets;
using System.Threading;
using NpcEngine.Wire;

namespace NpcEngine.Net
{
    /// <summary>
    /// What the game says, on its way: a thread of its own sends it, so that no engine that does not read can hold up a frame. It
    /// also keeps up the heartbeats.
    /// </summary>
    internal sealed class Sender
    {
        private const int Most = 10000; // messages that may wait; beyond it the engine has not read for long
        private const int AliveEvery = 2; // heartbeats of the socket to one that the engine's own thread answers
        private const int ContextBytes = 16; // a PING's, which its PONG gives back

        private readonly object _gate = new object();
        private readonly Queue<Request> _waiting = new Queue<Request>(64);
        private readonly Pool<Request> _pool;
        private readonly ClientOptions _options;
        private readonly byte[] _ping;
        private readonly byte[] _pong = new byte[5 + ContextBytes];
        private readonly Request _alive = new Request().Ping(Connection.AliveMark);
        private readonly Thread _thread;
        private int _pongBytes; // 0: none is due
        private Zmtp _zmtp; // null while there is no connection
        private TcpLink _link;
        private int _generation;
        private bool _stopped;
        private bool _busy; // something has been taken out and has not left

        internal Sender(ClientOptions options, Pool<Request> pool)
        {
            _options = options;
            _pool = pool;
            int ttl = Math.Min(options.SilenceMs / 100, 65535); // tenths of a second: how long the engine waits for us
            _ping = new byte[] { 4, (byte)'P', (byte)'I', (byte)'N', (byte)'G', (byte)(ttl >> 8), (byte)ttl };
            byte[] name = { 4, (byte)'P', (byte)'O', (byte)'N', (byte)'G' };
            Buffer.BlockCopy(name, 0, _pong, 0, name.Length);
            _thread = new Thread(Run) { IsBackground = true, Name = "NPC Engine sends" };
        }

        internal void Start()
        {
            _thread.Start();
        }

        /// <summary>A connection stands: what is said for this generation leaves by it.</summary>
        internal void Attach(Zmtp zmtp, TcpLink link, int generation)
        {
            lock (_gate)
            {
                _zmtp = zmtp;
                _link = link;
                _generation = generation;
                _pongBytes = 0;
                Monitor.PulseAll(_gate);
            }
        }

        /// <summary>The connection broke; returns when this thread does not use it any more.</summary>
        internal void Detach()
        {
            lock (_gate)
            {
                if (_link != null)
                {
                    _link.Shutdown();
                }

                _zmtp = null;
                _link = null;
                while (_busy)
                {
                    Monitor.Wait(_gate);
                }
            }
        }

        /// <summary>Say something; it is thrown away if its connection is not any more.</summary>
        internal void Put(Request request)
        {
            lock (_gate)
            {
                if (_stopped || request.Generation != _generation || _zmtp == null)
                {
                    _pool.Give(request);
                    return;
                }

                _waiting.Enqueue(request);
                if (_waiting.Count > Most)
                {
                    _link.Shutdown();
                }

                Monitor.PulseAll(_gate);
            }
        }

        /// <summary>Answer a PING, whose body begins with its time to live.</summary>
        internal void Pong(byte[] data, int offset, int count)
        {
            lock (_gate)
            {
                int context = Math.Min(Math.Max(0, count - 2), ContextBytes);
                Buffer.BlockCopy(data, offset + Math.Min(2, count), _pong, 5, context);
                _pongBytes = 5 + context;
                Monitor.PulseAll(_gate);
            }
        }

        /// <summary>Let what waits leave, for so long at most, and end the thread.</summary>
        internal void Stop(int lingerMs)
        {
            lock (_gate)
            {
                var clock = Stopwatch.StartNew();
                while (_zmtp != null && (_busy || _waiting.Count > 0) && clock.ElapsedMilliseconds < lingerMs)
                {
                    Monitor.Wait(_gate, Math.Max(1, lingerMs - (int)clock.ElapsedMilliseconds));
                }

                _stopped = true;
                if (_link != null)
                {
                    _link.Shutdown();
                }

                Monitor.PulseAll(_gate);
            }

            if (_thread.IsAlive)
            {
                _thread.Join();
            }
        }

        private void Run()
        {
            var clock = Stopwatch.StartNew();
            long due = 0;
            int beats = 0;
            while (true)
            {
                Request request = null;
                Zmtp zmtp;
                int pongBytes;
                bool beat = false;
                lock (_gate)
                {
                    long left = due - clock.ElapsedMilliseconds;
                    while (!_stopped && !IsWork(left))
                    {
                        Monitor.Wait(_gate, _zmtp == null ? Timeout.Infinite : (int)left);
                        left = due - clock.ElapsedMilliseconds;
                    }

                    if (_stopped)
                    {
                        return;
                    }

                    zmtp = _zmtp;
                    pongBytes = _pongBytes;
                    _pongBytes = 0;
                    if (left <= 0)
                    {
                        beat = true;
                        due = clock.ElapsedMilliseconds + _options.HeartbeatMs;
                    }

                    if (_waiting.Count > 0)
                    {
                        request = _waiting.Dequeue();
                    }

                    _busy = true;
                    if (request != null && (request.Generation != _generation || zmtp == null))
                    {
                        _pool.Give(request);
                        request = null;
                    }
                }

                Say(zmtp, pongBytes, beat, beat && ++beats % AliveEvery == 0, request);
                lock (_gate)
                {
                    _busy = false;
                    Monitor.PulseAll(_gate);
                }
            }
        }

        private bool IsWork(long left)
        {
            return _waiting.Count > 0 || (_zmtp != null && (_pongBytes > 0 || left <= 0));
        }

        private void Say(Zmtp zmtp, int pongBytes, bool ping, bool alive, Request request)
        {
            try
            {
                if (zmtp != null)
                {
                    if (pongBytes > 0)
                    {
                        zmtp.WriteCommand(_pong, pongBytes);
                    }

                    if (ping)
                    {
                        zmtp.WriteCommand(_ping, _ping.Length);
                    }

                    if (alive)
                    {
                        zmtp.Write(_alive);
                    }

                    if (request != null)
                    {
                        zmtp.Write(request);
                    }

                    zmtp.Flush();
                }
            }
            catch (SocketException)
            {
                Break();
            }
            catch (ObjectDisposedException)
            {
                Break();
            }
            finally
            {
                if (request != null)
                {
                    _pool.Give(request);
                }
            }
        }

        /// <summary>Wake the thread that reads, which tells the game.</summary>
        private void Break()
        {
            lock (_gate)
            {
                if (_link != null)
                {
                    _link.Shutdown();
                }
            }
        }
    }
}
