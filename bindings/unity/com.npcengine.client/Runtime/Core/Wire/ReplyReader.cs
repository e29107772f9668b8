namespace NpcEngine.Wire
{
    /// <summary>Messages of the engine out of their frames. Reading a moment makes no garbage once the event's buffers have grown.</summary>
    internal sealed class ReplyReader
    {
        private readonly FieldReader _fields = new FieldReader();
        private readonly PayloadReader _payloads = new PayloadReader();
        private string _line;
        private string _id;

        /// <summary>Fill <paramref name="told"/> with what the frames say.</summary>
        /// <exception cref="WireException">They break the protocol, or (code unknown-kind) are of a newer engine.</exception>
        internal void Read(Frames frames, NpcEvent told)
        {
            _line = _id = "";
            try
            {
                ReadFrames(frames, told);
            }
            catch (WireException fault)
            {
                fault.Line = _line;
                fault.Id = _id;
                throw;
            }
        }

        private void ReadFrames(Frames frames, NpcEvent told)
        {
            if (frames.Count < 1 || frames.Count > WireLimits.Frames)
            {
                throw new WireException("message of " + frames.Count + " frames, expected 1 to " + WireLimits.Frames);
            }

            MsgPackReader.Check(frames.Data(0), frames.Offset(0), frames.Bytes(0));
            var reader = new MsgPackReader(frames.Data(0), frames.Offset(0));
            NpcEventKind kind = FindKind(reader);
            told.Clear(kind);
            _fields.Begin(kind);
            _payloads.Begin();
            if (kind == NpcEventKind.Connected)
            {
                told.Welcome = new Welcome { Engine = "" };
            }
            else if (kind == NpcEventKind.Cast)
            {
                told.Cast = new NpcCast();
            }
            else if (kind == NpcEventKind.Stats)
            {
                told.Stats = new NpcStats();
            }

            int entries = reader.Enter();
            ulong seen = 0;
            for (int i = 0; i < entries; i++)
            {
                Key key = FieldReader.ReadKey(ref reader);
                if (key == Key.Unknown || !Take(ref reader, kind, key, told))
                {
                    reader.Skip();
                }
                else
                {
                    seen |= 1UL << (int)key;
                }
            }

            _fields.Need(seen, Needed(kind));
            _payloads.Read(frames, told);
        }

        /// <summary>The message's kind; notes its line and id for a fault.</summary>
        private NpcEventKind FindKind(MsgPackReader reader)
        {
            int entries = reader.Enter();
            NpcEventKind kind = NpcEventKind.Error;
            WireException fault = null;
            bool found = false;
            for (int i = 0; i < entries; i++)
            {
                Key key = FieldReader.ReadKey(ref reader);
                if (key == Key.Kind)
                {
                    found = true;
                    fault = ReadKind(ref reader, out kind);
                }
                else if ((key == Key.Line || key == Key.Id) && reader.Type == MsgPackType.Text)
                {
                    NoteId(ref reader, key);
                }
                else
                {
                    reader.Skip();
                }
            }

            if (!found || fault != null)
            {
                throw fault ?? new WireException("header has no kind, expected a string");
            }

            return kind;
        }

        private void NoteId(ref MsgPackReader reader, Key key)
        {
            MsgPackReader before = reader;
            int offset, count;
            reader.Bytes(out offset, out count);
            if (Utf8.Chars(reader.Data, offset, count) <= WireLimits.IdChars)
            {
                _fields.At(key);
                string id = _fields.Name(ref before, 0, WireLimits.IdChars);
                _line = key == Key.Line ? id : _line;
                _id = key == Key.Id ? id : _id;
            }
        }

        /// <summary>Read the kind; what is wrong with it, or null.</summary>
        private static WireException ReadKind(ref MsgPackReader reader, out NpcEventKind kind)
        {
            kind = NpcEventKind.Error;
            if (reader.Type != MsgPackType.Text)
            {
                return new WireException("header has kind " + reader.Describe() + ", expected a string");
            }

            int offset, count;
            MsgPackReader before = reader;
            reader.Bytes(out offset, out count);
            if (Names.FindReply(reader.Data, offset, count, out kind))
            {
                return null;
            }

            bool otherWay = Names.IsRequest(reader.Data, offset, count);
            return new WireException(
                "kind " + before.Describe() + (otherWay ? " travels the other way" : " is unknown"), "unknown-kind");
        }

        private static ulong Bit(Key key)
        {
            return 1UL << (int)key;
        }

        private static ulong Needed(NpcEventKind kind)
        {
            switch (kind)
            {
                case NpcEventKind.Moment:
                    return Bit(Key.Line) | Bit(Key.Tick) | Bit(Key.Ticks);
                case NpcEventKind.End:
                case NpcEventKind.Cancelled:
                    return Bit(Key.Line) | Bit(Key.Ticks);
                case NpcEventKind.Mark:
                    return Bit(Key.Line) | Bit(Key.Name) | Bit(Key.Tick);
                case NpcEventKind.Accepted:
                case NpcEventKind.Words:
                    return Bit(Key.Line);
                case NpcEventKind.Error:
                    return Bit(Key.Code) | Bit(Key.Text);
                case NpcEventKind.Warmed:
                    return Bit(Key.Id);
                case NpcEventKind.Connected:
                    return Bit(Key.Version) | Bit(Key.Engine) | Bit(Key.Channels) | Bit(Key.Capabilities) | Bit(Key.SampleRate)
                        | Bit(Key.TickMs) | Bit(Key.OpenLines) | Bit(Key.TextChars) | Bit(Key.CreditCapMs);
                default:
                    return 0;
            }
        }

        /// <summary>Read a key's value; false, and nothing is read, where the kind has no such key.</summary>
        private bool Take(ref MsgPackReader reader, NpcEventKind kind, Key key, NpcEvent told)
        {
            _fields.At(key);
            switch (kind)
            {
                case NpcEventKind.Moment:
                    return TakeMoment(ref reader, key, told);
                case NpcEventKind.Accepted:
                    return key == Key.Picture ? _payloads.Promise(_fields, ref reader, key)
                        : key == Key.Place ? Set(told.Place = _fields.Whole(ref reader, 0, WireLimits.Most)) : TakeLine(ref reader, key, told);
                case NpcEventKind.Words:
                    return key == Key.Words ? TakeWords(ref reader, told) : TakeLine(ref reader, key, told);
                case NpcEventKind.Mark:
                    return key == Key.Name ? Set(told.Name = _fields.Text(ref reader, 0, WireLimits.NoteChars))
                        : key == Key.Tick ? Set(told.Tick = _fields.Whole(ref reader, 0, WireLimits.Most)) : TakeLine(ref reader, key, told);
                case NpcEventKind.End:
                    return key == Key.Ticks ? Set(told.Ticks = _fields.Whole(ref reader, 0, WireLimits.Most)) : TakeLine(ref reader, key, told);
                case NpcEventKind.Cancelled:
                    return TakeCancelled(ref reader, key, told);
                case NpcEventKind.Error:
                    return TakeError(ref reader, key, told);
                case NpcEventKind.Pong:
                    return key == Key.Mark && Set(told.Number = _fields.Whole(ref reader, 0, WireLimits.Most));
                case NpcEventKind.Warmed:
                    return TakeWarmed(ref reader, key, told);
                case NpcEventKind.Connected:
                    return WelcomeReader.Take(_fields, ref reader, key, told.Welcome);
                case NpcEventKind.Cast:
                    return WelcomeReader.Take(_fields, ref reader, key, told.Cast);
                default:
                    return WelcomeReader.Take(_fields, ref reader, key, told.Stats);
            }
        }

        private static bool Set(object value)
        {
            return value != null;
        }

        private static bool Set(long value)
        {
            return value >= 0;
        }

        private bool TakeLine(ref MsgPackReader reader, Key key, NpcEvent told)
        {
            return key == Key.Line && Set(told.Line = _fields.Name(ref reader, 1, WireLimits.IdChars));
        }

        private bool TakeMoment(ref MsgPackReader reader, Key key, NpcEvent told)
        {
            switch (key)
            {
                case Key.Tick:
                    return Set(told.Tick = _fields.Whole(ref reader, 0, WireLimits.Most));
                case Key.Ticks:
                    return Set(told.Ticks = _fields.Whole(ref reader, 1, WireLimits.Items));
                case Key.PictureTick:
                    if (reader.Type == MsgPackType.Nil)
                    {
                        return false;
                    }

                    return Set(told.PictureTick = _fields.Whole(ref reader, 0, WireLimits.Most));
                case Key.Sound:
                case Key.Coefficients:
                case Key.Picture:
                    return _payloads.Promise(_fields, ref reader, key);
                default:
                    return TakeLine(ref reader, key, told);
            }
        }

        private bool TakeCancelled(ref MsgPackReader reader, Key key, NpcEvent told)
        {
            switch (key)
            {
                case Key.Ticks:
                    return Set(told.Ticks = _fields.Whole(ref reader, 0, WireLimits.Most));
                case Key.Reason:
                    return Set(told.Text = _fields.Text(ref reader, 0, WireLimits.NoteChars));
                case Key.Heard:
                    return Set(told.Heard = _fields.Text(ref reader, 0, WireLimits.TextChars));
                case Key.HeardChars:
                    return Set(told.HeardChars = (int)_fields.Whole(ref reader, 0, WireLimits.TextChars));
                default:
                    return TakeLine(ref reader, key, told);
            }
        }

        private bool TakeError(ref MsgPackReader reader, Key key, NpcEvent told)
        {
            switch (key)
            {
                case Key.Code:
                    return Set(told.Code = _fields.Text(ref reader, 1, WireLimits.NameChars));
                case Key.Text:
                    return Set(told.Text = _fields.Text(ref reader, 0, WireLimits.NoteChars));
                case Key.Line:
                    return Set(told.Line = _fields.Name(ref reader, 0, WireLimits.IdChars));
                case Key.Id:
                    return Set(told.Id = _fields.Name(ref reader, 0, WireLimits.IdChars));
                case Key.Ends:
                    told.Ends = _fields.Truth(ref reader);
                    return true;
                case Key.WaitMs:
                    return Set(told.WaitMs = (int)_fields.Whole(ref reader, 0, WireLimits.WaitMs));
                default:
                    return false;
            }
        }

        private bool TakeWarmed(ref MsgPackReader reader, Key key, NpcEvent told)
        {
            switch (key)
            {
                case Key.Id:
                    return Set(told.Id = _fields.Name(ref reader, 1, WireLimits.IdChars));
                case Key.Npc:
                    return Set(told.Name = _fields.Text(ref reader, 0, WireLimits.NameChars));
                case Key.Voice:
                    return Set(told.Voice = _fields.Text(ref reader, 0, WireLimits.NameChars));
                case Key.TextChars:
                    return Set(told.TextChars = _fields.Whole(ref reader, 0, WireLimits.Most));
                case Key.Ms:
                    return Set(told.Ms = _fields.Whole(ref reader, 0, WireLimits.Most));
                default:
                    return false;
            }
        }

        private bool TakeWords(ref MsgPackReader reader, NpcEvent told)
        {
            int count = _fields.Enter(ref reader);
            told.Words.Clear();
            for (int i = 0; i < count; i++)
            {
                told.Words.Add(WelcomeReader.Word(_fields, ref reader, i));
            }

            _fields.Within(Key.Unknown, 0);
            return true;
        }
    }
}
