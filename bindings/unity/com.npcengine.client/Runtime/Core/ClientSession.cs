using System;
using System.Collections.Generic;
using System.Diagnostics;
using NpcEngine.Wire;

namespace NpcEngine
{
    /// <content>What is asked and what the game is given.</content>
    public sealed partial class Client
    {
        private const int MostHeld = 64; // requests of no line: a game that asks each second for hours shall not fill the memory

        private readonly Dictionary<string, Book> _books = new Dictionary<string, Book>();
        private readonly Dictionary<string, long> _warms = new Dictionary<string, long>(); // not answered; when they were asked
        private readonly List<Request> _held = new List<Request>(); // said while no engine is there
        private readonly Queue<NpcEvent> _madeUp = new Queue<NpcEvent>();
        private readonly List<string> _ended = new List<string>();
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private bool _greeted;
        private bool _refused;
        private string _why = ""; // no engine is there, as far as it was told
        private int _generation; // of the connection that has greeted
        private NpcEvent _given; // to the game; used again with the next

        /// <summary>What is known of a line that has not ended.</summary>
        private sealed class Book
        {
            internal string Needs; // what the engine must be able to, "" if nothing new
            internal long AskedMs;
            internal bool IsAccepted;
            internal long Ticks; // that have come
            internal int Channels; // of its coefficients; 0 before the first
            internal int SoundRate;
            internal char Half; // of a letter whose other half has not come
        }

        /// <summary>
        /// The next event, in order; false if there is none. Take all of them each frame. The event and its arrays hold until the next call.
        /// </summary>
        public bool Next(out NpcEvent told)
        {
            if (_given != null)
            {
                _connection.GiveBack(_given);
                _given = null;
            }

            while (!_closed)
            {
                if (_madeUp.Count > 0)
                {
                    told = _given = _madeUp.Dequeue();
                    return true;
                }

                if (!_connection.Take(out told))
                {
                    CheckTimes();
                    if (_madeUp.Count == 0)
                    {
                        break;
                    }
                }
                else if (Note(told))
                {
                    _given = told;
                    return true;
                }
                else
                {
                    _connection.GiveBack(told);
                }
            }

            told = null;
            return false;
        }

        private bool Find(string line, out Book book)
        {
            book = null;
            return line != null && _books.TryGetValue(line, out book);
        }

        private string Ask(SpeakRequest speak, string needs)
        {
            speak.Options = speak.Options ?? Defaults;
            speak.Npc = speak.Npc ?? "";
            speak.Text = speak.Text ?? "";
            speak.Attitude = speak.Attitude ?? "";
            speak.SoundRate = speak.Live ? speak.SoundRate : Playback.SampleRate;
            speak.Line = string.IsNullOrEmpty(speak.Options.Line) ? NewId() : speak.Options.Line;
            if (needs.Length == 0 && speak.Options.Turn != "wait")
            {
                needs = "playhead"; // an engine that knows turns knows this
            }

            try
            {
                Checks.Check(speak);
                if (_books.ContainsKey(speak.Line))
                {
                    throw new WireException("a line '" + speak.Line + "' is open already: give each its own id", "duplicate-line");
                }

                CheckNeeds(needs);
            }
            catch (WireException fault)
            {
                MakeUp(fault.Code, fault.Message, speak.Line, fault.Code != "duplicate-line");
                return speak.Line;
            }

            _books.Add(speak.Line, new Book { Needs = needs, AskedMs = _clock.ElapsedMilliseconds, SoundRate = speak.SoundRate });
            Say(_connection.NewRequest().Speak(speak));
            return speak.Line;
        }

        private void CheckNeeds(string needs)
        {
            if (needs.Length > 0 && _greeted && !Welcome.Can(needs))
            {
                throw new WireException(
                    "the engine at " + _address + ", release " + Welcome.Engine + ", knows no '" + needs + "': update it", "unknown-kind");
            }
        }

        /// <summary>Send, or hold back until an engine is there.</summary>
        private void Say(Request request)
        {
            if (_closed || _refused)
            {
                _connection.Drop(request);
            }
            else if (_greeted)
            {
                _connection.Send(request, _generation);
            }
            else if (request.Line.Length > 0 || _held.Count < MostHeld)
            {
                _held.Add(request);
            }
            else
            {
                _connection.Drop(request);
            }
        }

        private NpcEvent MakeUp(string code, string text, string line, bool ends)
        {
            NpcEvent told = _connection.NewEvent(NpcEventKind.Error);
            told.Code = code;
            told.Text = text;
            told.Line = line;
            told.Ends = ends;
            _madeUp.Enqueue(told);
            return told;
        }
    }
}
