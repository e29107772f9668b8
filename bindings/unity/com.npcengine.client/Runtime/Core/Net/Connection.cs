using System;
using System.Diagnostics;
using System.Net.Sockets;
using System.Threading;
using NpcEngine.Wire;

namespace NpcEngine.Net
{
    /// <summary>
    /// Connects, and connects again, by itself; two threads of its own read and send. What comes and what happens stands in the inbox
    /// as events, those of the connection itself among them: Disconnected, Trouble, Refused.
    /// </summary>
    internal sealed partial class Connection
    {
        /// <summary>Of the pings by which the connection asks whether the engine's own thread lives; their pongs stay here.</summary>
        internal const long AliveMark = WireLimits.Most;

        private const int TurnedMs = 1000; // at least from a connection that the engine ended to the next try

        private readonly ClientOptions _options;
        private readonly Address _address;
        private readonly byte[] _serverKey;
        private readonly KeyPair _pair;
        private readonly Inbox _inbox = new Inbox();
        private readonly Pool<NpcEvent> _events = new Pool<NpcEvent>(() => new NpcEvent());
        private readonly Pool<Request> _requests = new Pool<Request>(() => new Request());
        private readonly Sender _sender;
        private readonly Thread _thread;
        private readonly Frames _frames = new Frames();
        private readonly ReplyReader _reader = new ReplyReader();
        private readonly Random _chance = new Random();
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private readonly object _gate = new object();
        private bool _stopped;
        private LinkException _ordered; // why the game wants the connection ended
        private TcpLink _link;
        private int _generation;
        private bool _greeted; // the engine has said something on this connection
        private long _begun; // when this connection, or this try, began
        private long _lastBytes;
        private long _lastMessage;
        private string _lastTrouble = "";

        internal Connection(ClientOptions options, Address address, byte[] serverKey, KeyPair pair)
        {
            _options = options;
            _address = address;
            _serverKey = serverKey;
            _pair = pair;
            _sender = new Sender(options, _requests);
            _thread = new Thread(Run) { IsBackground = true, Name = "NPC Engine reads" };
        }

        internal void Start()
        {
            _sender.Start();
            _thread.Start();
        }

        internal bool Take(out NpcEvent told)
        {
            return _inbox.Take(out told);
        }

        internal void GiveBack(NpcEvent told)
        {
            _events.Give(told);
        }

        /// <summary>An event to be filled; <see cref="GiveBack"/> takes it again.</summary>
        internal NpcEvent NewEvent(NpcEventKind kind)
        {
            NpcEvent told = _events.Take();
            told.Clear(kind);
            return told;
        }

        /// <summary>A message to be written; <see cref="Send"/> takes it.</summary>
        internal Request NewRequest()
        {
            return _requests.Take();
        }

        /// <summary>Say something on the connection of a generation, or on none.</summary>
        internal void Send(Request request, int generation)
        {
            request.Generation = generation;
            _sender.Put(request);
        }

        internal void Drop(Request request)
        {
            _requests.Give(request);
        }

        /// <summary>End this connection; the thread tells the game and, unless the code is Refused, tries again.</summary>
        internal void Break(string code, string text)
        {
            lock (_gate)
            {
                _ordered = new LinkException(code, text);
                if (_link != null)
                {
                    _link.Shutdown();
                }
            }
        }

        /// <summary>Let what was said last leave, and end both threads.</summary>
        internal void Close()
        {
            bool started = _thread.IsAlive;
            _sender.Stop(_options.LingerMs);
            lock (_gate)
            {
                _stopped = true;
                if (_link != null)
                {
                    _link.Shutdown();
                }

                Monitor.PulseAll(_gate);
            }

            if (started)
            {
                _thread.Join();
            }
        }

        private bool IsStopped()
        {
            lock (_gate)
            {
                return _stopped;
            }
        }

        private void Run()
        {
            int wait = _options.ReconnectMs;
            while (!IsStopped())
            {
                LinkException fault = Live();
                if (IsStopped())
                {
                    return;
                }

                bool wasUp = _greeted;
                Tell(fault, wasUp);
                if (fault.Code == Codes.Refused || fault.Code == Codes.BadVersion)
                {
                    return;
                }

                wait = wasUp ? _options.ReconnectMs : wait;
                int least = fault.Code == Codes.BadMessage || fault.Code == Codes.NoAnswer ? TurnedMs : 0;
                Pause(Math.Max(least, (int)(wait * (0.75 + 0.5 * _chance.NextDouble()))));
                wait = Math.Min(2 * wait, _options.ReconnectMostMs);
            }
        }

        private void Pause(int ms)
        {
            long until = _clock.ElapsedMilliseconds + ms;
            lock (_gate)
            {
                while (!_stopped && _clock.ElapsedMilliseconds < until)
                {
                    Monitor.Wait(_gate, (int)Math.Max(1, until - _clock.ElapsedMilliseconds));
                }
            }
        }

        /// <summary>One connection from its beginning to its end; why it ended.</summary>
        private LinkException Live()
        {
            _greeted = false;
            _begun = _clock.ElapsedMilliseconds;
            TcpLink link = null;
            try
            {
                link = TcpLink.Connect(_address, _options.ConnectTimeoutMs, IsStopped);
                lock (_gate)
                {
                    _link = link;
                    _ordered = null;
                }

                link.Watch = WatchHandshake;
                _begun = _clock.ElapsedMilliseconds;
                Zmtp zmtp = _pair == null ? (Zmtp)new NullZmtp(link) : new CurveZmtp(link, _serverKey, _pair);
                zmtp.Begin(_address);
                _begun = _lastBytes = _lastMessage = _clock.ElapsedMilliseconds;
                link.Watch = WatchTalk;
                zmtp.Write(NewRequest().Hello(WireLimits.Version, _options.Name));
                zmtp.Flush();
                _generation++;
                _sender.Attach(zmtp, link, _generation);
                Talk(zmtp);
                return null; // never: a connection ends by raising
            }
            catch (LinkException error)
            {
                return Ordered() ?? error;
            }
            catch (SocketException error)
            {
                return Ordered() ?? new LinkException(Codes.Disconnected, error.Message);
            }
            catch (Exception error)
            {
                // a fault of ours, or of the runtime: it must not end the game's process
                return Ordered() ?? new LinkException(Codes.BadMessage, "what came was not understood: " + error);
            }
            finally
            {
                lock (_gate)
                {
                    _link = null;
                }

                _sender.Detach();
                if (link != null)
                {
                    link.Dispose();
                }
            }
        }

        private LinkException Ordered()
        {
            lock (_gate)
            {
                LinkException ordered = _ordered;
                _ordered = null;
                return ordered;
            }
        }

        private void Talk(Zmtp zmtp)
        {
            Zmtp.CommandHandler onCommand = TakeCommand;
            while (true)
            {
                zmtp.ReadMessage(_frames, onCommand);
                _lastMessage = _clock.ElapsedMilliseconds;
                NpcEvent told = Read();
                if (told != null)
                {
                    while (!_inbox.HasRoom && !IsStopped())
                    {
                        Pause(10);
                        _lastMessage = _lastBytes = _clock.ElapsedMilliseconds; // it is we who do not listen
                    }

                    _inbox.Put(told);
                }
            }
        }

        /// <summary>What a message tells; null if it is not for the game.</summary>
        private NpcEvent Read()
        {
            NpcEvent told = _events.Take();
            try
            {
                _reader.Read(_frames, told);
            }
            catch (WireException fault)
            {
                if (fault.Code == "unknown-kind") // a newer engine may say more than we know
                {
                    _events.Give(told);
                    return null;
                }

                told.Clear(NpcEventKind.Error);
                told.Code = Codes.BadMessage;
                told.Text = "the engine sent: " + fault.Message;
                told.Line = fault.Line;
                told.Id = fault.Id;
                told.Ends = false;
            }

            told.Generation = _generation;
            if (told.Kind == NpcEventKind.Pong && told.Number == AliveMark)
            {
                _events.Give(told);
                return null;
            }

            _greeted |= told.Kind == NpcEventKind.Connected;
            return told;
        }

        private void TakeCommand(byte[] data, int offset, int count)
        {
            if (count >= 5 && data[offset] == 4 && data[offset + 1] == 'P' && data[offset + 3] == 'N' && data[offset + 4] == 'G'
                && data[offset + 2] == 'I')
            {
                _sender.Pong(data, offset + 5, count - 5);
            }
        }
    }
}
