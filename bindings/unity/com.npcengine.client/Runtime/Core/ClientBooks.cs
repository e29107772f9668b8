using System;
using System.Collections.Generic;
using NpcEngine.Wire;

namespace NpcEngine
{
    /// <content>The books of open lines: what each event changes in them, and what is made up where none comes.</content>
    public sealed partial class Client
    {
        /// <summary>Keep the books; whether the game wants to know.</summary>
        private bool Note(NpcEvent told)
        {
            switch (told.Kind)
            {
                case NpcEventKind.Connected:
                    return NoteWelcome(told);
                case NpcEventKind.Disconnected:
                    Lose(told.Text);
                    return true;
                case NpcEventKind.Trouble:
                    _why = told.Text;
                    return true;
                case NpcEventKind.Refused:
                    _refused = true;
                    Lose(told.Text);
                    return true;
                case NpcEventKind.Error:
                    return NoteError(told);
                case NpcEventKind.Warmed:
                    _warms.Remove(told.Id);
                    return true;
                default:
                    return told.Line.Length == 0 || NoteLine(told);
            }
        }

        private bool NoteWelcome(NpcEvent told)
        {
            if (told.Welcome.Version != WireLimits.Version)
            {
                _connection.Break(
                    Codes.BadVersion,
                    "the engine at " + _address + " speaks wire version " + told.Welcome.Version + ", this client " + WireLimits.Version
                    + ": update the older of the two");
                return false;
            }

            Welcome = told.Welcome;
            _greeted = true;
            _why = "";
            _generation = told.Generation;
            foreach (KeyValuePair<string, Book> entry in _books)
            {
                entry.Value.AskedMs = _clock.ElapsedMilliseconds;
                if (entry.Value.Needs.Length > 0 && !Welcome.Can(entry.Value.Needs))
                {
                    _ended.Add(entry.Key);
                }
            }

            foreach (string line in _ended)
            {
                string needs = _books[line].Needs;
                _books.Remove(line);
                MakeUp(
                    "unknown-kind", "the engine at " + _address + ", release " + Welcome.Engine + ", knows no '" + needs + "': update it",
                    line, true);
            }

            _ended.Clear();
            foreach (Request request in _held)
            {
                if (request.Line.Length == 0 || _books.ContainsKey(request.Line) || _warms.ContainsKey(request.Line))
                {
                    _connection.Send(request, _generation);
                }
                else
                {
                    _connection.Drop(request);
                }
            }

            _held.Clear();
            return true;
        }

        private bool NoteError(NpcEvent told)
        {
            if (told.Code == Codes.BadVersion && !_greeted)
            {
                _connection.Break(Codes.BadVersion, "the engine at " + _address + " refused: " + told.Text);
                return false;
            }

            if (told.Code == "not-greeted" || told.Code == "too-many-connections")
            {
                // nothing else is answered on this connection: another may be
                _connection.Break(Codes.NoAnswer, "the engine at " + _address + " refused: " + told.Text);
                return told.Code != "not-greeted";
            }

            if (told.Ends)
            {
                _books.Remove(told.Line);
                _warms.Remove(told.Id);
            }

            return true;
        }

        private bool NoteLine(NpcEvent told)
        {
            Book book;
            if (!_books.TryGetValue(told.Line, out book))
            {
                return false; // of a line that a broken connection, or we, have ended
            }

            switch (told.Kind)
            {
                case NpcEventKind.Accepted:
                    book.IsAccepted = true;
                    break;
                case NpcEventKind.Moment:
                    if (told.Tick != book.Ticks)
                    {
                        return Distrust(told.Line, "moment of tick " + told.Tick + ", expected " + book.Ticks);
                    }

                    if (told.Channels > 0 && book.Channels > 0 && told.Channels != book.Channels)
                    {
                        return Distrust(told.Line, "faces of " + told.Channels + " values, those before had " + book.Channels);
                    }

                    book.IsAccepted = true;
                    book.Channels = Math.Max(book.Channels, told.Channels);
                    book.Ticks += told.Ticks;
                    break;
                case NpcEventKind.End:
                    if (told.Ticks != book.Ticks)
                    {
                        return Distrust(told.Line, "end after " + told.Ticks + " ticks, expected " + book.Ticks);
                    }

                    _books.Remove(told.Line);
                    break;
                case NpcEventKind.Cancelled:
                    _books.Remove(told.Line);
                    break;
            }

            return true;
        }

        /// <summary>The engine broke the order of a line: end it.</summary>
        private bool Distrust(string line, string text)
        {
            Cancel(line);
            _books.Remove(line);
            MakeUp(Codes.BadMessage, "the engine sent: " + text, line, true);
            return false;
        }

        /// <summary>The connection is gone: its lines and warmings are too. What waits for a first connection goes on waiting.</summary>
        private void Lose(string why)
        {
            _why = why;
            if (_greeted || _refused)
            {
                _greeted = false;
                Fail(Codes.Disconnected, why);
            }
        }

        private void Fail(string code, string why)
        {
            foreach (KeyValuePair<string, Book> entry in _books)
            {
                MakeUp(code, why, entry.Key, true);
            }

            foreach (KeyValuePair<string, long> entry in _warms)
            {
                MakeUp(code, why, "", true).Id = entry.Key;
            }

            foreach (Request request in _held)
            {
                _connection.Drop(request);
            }

            _books.Clear();
            _warms.Clear();
            _held.Clear();
        }

        private void CheckTimes()
        {
            long now = _clock.ElapsedMilliseconds;
            if (_refused && (_books.Count > 0 || _warms.Count > 0))
            {
                Fail(Codes.Disconnected, _why);
                return;
            }

            foreach (KeyValuePair<string, Book> entry in _books)
            {
                int most = _greeted ? _options.AcceptTimeoutMs : _options.WaitForEngineMs;
                if (!entry.Value.IsAccepted && now - entry.Value.AskedMs > most)
                {
                    _ended.Add(entry.Key);
                }
            }

            foreach (KeyValuePair<string, long> entry in _warms)
            {
                if (!_greeted && now - entry.Value > _options.WaitForEngineMs)
                {
                    _ended.Add(entry.Key);
                }
            }

            foreach (string name in _ended)
            {
                GiveUp(name);
            }

            _ended.Clear();
        }

        private void GiveUp(string line)
        {
            if (_greeted)
            {
                Cancel(line);
                _books.Remove(line);
                MakeUp(
                    Codes.NoAnswer, "the engine at " + _address + " did not take the line within " + _options.AcceptTimeoutMs + " ms",
                    line, true);
                return;
            }

            bool isWarm = _warms.Remove(line);
            _books.Remove(line);
            for (int i = _held.Count - 1; i >= 0; i--)
            {
                if (_held[i].Line == line)
                {
                    _connection.Drop(_held[i]);
                    _held.RemoveAt(i);
                }
            }

            string why = _why.Length > 0 ? _why : "no engine at " + _address + "; start one with npc-engine serve";
            NpcEvent told = MakeUp(Codes.Disconnected, why, isWarm ? "" : line, true);
            told.Id = isWarm ? line : "";
        }
    }
}
