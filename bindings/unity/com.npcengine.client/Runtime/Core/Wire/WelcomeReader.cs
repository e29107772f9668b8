namespace NpcEngine.Wire
{
    /// <summary>What comes seldom, or within lists: the welcome, the cast, figures, words. Makes objects.</summary>
    internal static class WelcomeReader
    {
        private const ulong NeededOfWord =
            1UL << (int)Key.Text | 1UL << (int)Key.Start | 1UL << (int)Key.End | 1UL << (int)Key.First | 1UL << (int)Key.Last;

        internal static bool Take(FieldReader fields, ref MsgPackReader reader, Key key, Welcome welcome)
        {
            switch (key)
            {
                case Key.Version:
                    welcome.Version = fields.Whole(ref reader, 0, WireLimits.Most);
                    return true;
                case Key.Engine:
                    welcome.Engine = fields.Text(ref reader, 0, WireLimits.NameChars);
                    return true;
                case Key.Channels:
                    fields.Strings(ref reader, welcome.ChannelList, 1, WireLimits.NameChars);
                    return true;
                case Key.Capabilities:
                    fields.Strings(ref reader, welcome.CapabilityList, 1, WireLimits.NameChars);
                    return true;
                case Key.Arkit52:
                    fields.Strings(ref reader, welcome.Arkit52List, 1, WireLimits.NameChars);
                    return true;
                case Key.Visemes15:
                    fields.Strings(ref reader, welcome.Visemes15List, 1, WireLimits.NameChars);
                    return true;
                case Key.SampleRate:
                    welcome.SampleRate = fields.Whole(ref reader, 1, WireLimits.Most);
                    return true;
                case Key.TickMs:
                    welcome.TickMs = fields.Whole(ref reader, 1, WireLimits.Most);
                    return true;
                case Key.OpenLines:
                    welcome.OpenLines = fields.Whole(ref reader, 1, WireLimits.Most);
                    return true;
                case Key.TextChars:
                    welcome.TextChars = fields.Whole(ref reader, 1, WireLimits.Most);
                    return true;
                case Key.CreditCapMs:
                    welcome.CreditCapMs = fields.Whole(ref reader, 1, WireLimits.Most);
                    return true;
                default:
                    return false;
            }
        }

        internal static bool Take(FieldReader fields, ref MsgPackReader reader, Key key, NpcCast cast)
        {
            switch (key)
            {
                case Key.Voices:
                    fields.Strings(ref reader, cast.VoiceList, 0, WireLimits.NameChars);
                    return true;
                case Key.Faces:
                    fields.Strings(ref reader, cast.FaceList, 0, WireLimits.NameChars);
                    return true;
                case Key.Npcs:
                    int count = fields.Enter(ref reader);
                    cast.NpcList.Clear();
                    for (int i = 0; i < count; i++)
                    {
                        cast.NpcList.Add(Entry(fields, ref reader, i));
                    }

                    fields.Within(Key.Unknown, 0);
                    return true;
                default:
                    return false;
            }
        }

        internal static bool Take(FieldReader fields, ref MsgPackReader reader, Key key, NpcStats stats)
        {
            if (key < Key.Lines || key > Key.LoadPercent)
            {
                return false;
            }

            long value = fields.Whole(ref reader, 0, WireLimits.Most);
            switch (key)
            {
                case Key.Lines:
                    stats.Lines = value;
                    break;
                case Key.Waiting:
                    stats.Waiting = value;
                    break;
                case Key.QueuedMs:
                    stats.QueuedMs = value;
                    break;
                case Key.SentMs:
                    stats.SentMs = value;
                    break;
                case Key.Pictures:
                    stats.Pictures = value;
                    break;
                case Key.Thinned:
                    stats.Thinned = value;
                    break;
                case Key.Shrunk:
                    stats.Shrunk = value;
                    break;
                case Key.Damped:
                    stats.Damped = value;
                    break;
                case Key.Refused:
                    stats.Refused = value;
                    break;
                case Key.FirstMomentMs:
                    stats.FirstMomentMs = value;
                    break;
                case Key.EngineLines:
                    stats.EngineLines = value;
                    break;
                default:
                    stats.LoadPercent = value;
                    break;
            }

            return true;
        }

        internal static NpcWord Word(FieldReader fields, ref MsgPackReader reader, int index)
        {
            var word = new NpcWord { Text = "" };
            int entries = fields.EnterEntry(ref reader, Key.Words, index);
            ulong seen = 0;
            for (int i = 0; i < entries; i++)
            {
                Key key = FieldReader.ReadKey(ref reader);
                fields.At(key);
                seen |= key == Key.Unknown ? 0 : 1UL << (int)key;
                switch (key)
                {
                    case Key.Text:
                        word.Text = fields.Text(ref reader, 0, WireLimits.NoteChars);
                        break;
                    case Key.Start:
                        word.Start = fields.Whole(ref reader, 0, WireLimits.Most);
                        break;
                    case Key.End:
                        word.End = fields.Whole(ref reader, 0, WireLimits.Most);
                        break;
                    case Key.First:
                        word.First = fields.Whole(ref reader, 0, WireLimits.Most);
                        break;
                    case Key.Last:
                        word.Last = fields.Whole(ref reader, 0, WireLimits.Most);
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }

            fields.Need(seen, NeededOfWord);
            return word;
        }

        private static NpcEntry Entry(FieldReader fields, ref MsgPackReader reader, int index)
        {
            var npc = new NpcEntry { Name = "", Voice = "", Face = "", About = "" };
            int entries = fields.EnterEntry(ref reader, Key.Npcs, index);
            ulong seen = 0;
            for (int i = 0; i < entries; i++)
            {
                Key key = FieldReader.ReadKey(ref reader);
                fields.At(key);
                seen |= key == Key.Unknown ? 0 : 1UL << (int)key;
                switch (key)
                {
                    case Key.Name:
                        npc.Name = fields.Text(ref reader, 0, WireLimits.NameChars);
                        break;
                    case Key.Voice:
                        npc.Voice = fields.Text(ref reader, 0, WireLimits.NameChars);
                        break;
                    case Key.Face:
                        npc.Face = fields.Text(ref reader, 0, WireLimits.NameChars);
                        break;
                    case Key.About:
                        npc.About = fields.Text(ref reader, 0, WireLimits.NoteChars);
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }

            fields.Need(seen, 1UL << (int)Key.Name);
            return npc;
        }
    }
}
