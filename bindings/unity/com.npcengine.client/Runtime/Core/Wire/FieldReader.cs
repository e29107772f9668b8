using System.Collections.Generic;
using System.Text;

namespace NpcEngine.Wire
{
    /// <summary>Reads the value of a key, and says in which one a fault is. Makes garbage for new strings and faults only.</summary>
    internal sealed class FieldReader
    {
        private readonly StringCache _names = new StringCache();
        private NpcEventKind _kind;
        private Key _key;
        private Key _list; // the list in which it stands; Unknown if in none
        private int _index;

        internal void Begin(NpcEventKind kind)
        {
            _kind = kind;
            _list = Key.Unknown;
        }

        internal void At(Key key)
        {
            _key = key;
        }

        /// <summary>What follows is of an entry of a list of maps.</summary>
        internal void Within(Key list, int index)
        {
            _list = list;
            _index = index;
        }

        internal WireException Fault(string text)
        {
            string inner = _list == Key.Unknown ? "" : Names.Of(_list) + "[" + _index + "]: ";
            return new WireException(Names.Of(_kind) + ": " + inner + Names.Of(_key) + text);
        }

        /// <summary>Raise for the first of the keys that lacks.</summary>
        internal void Need(ulong seen, ulong needed)
        {
            for (int key = 0; (needed & ~seen) != 0 && key < 64; key++)
            {
                if ((needed & ~seen & 1UL << key) != 0)
                {
                    string inner = _list == Key.Unknown ? "" : Names.Of(_list) + "[" + _index + "]: ";
                    throw new WireException(Names.Of(_kind) + ": " + inner + "key '" + Names.Of((Key)key) + "' is missing");
                }
            }
        }

        internal long Whole(ref MsgPackReader reader, long low, long high)
        {
            if (reader.Type != MsgPackType.Whole)
            {
                throw Fault(" is " + reader.Describe() + ", expected a whole number");
            }

            long value = reader.Whole();
            if (value < low || value > high)
            {
                throw Fault(" is " + value + ", expected " + low + " to " + high);
            }

            return value;
        }

        internal bool Truth(ref MsgPackReader reader)
        {
            if (reader.Type != MsgPackType.Truth)
            {
                throw Fault(" is " + reader.Describe() + ", expected true or false");
            }

            return reader.Truth();
        }

        /// <summary>A string that differs from message to message.</summary>
        internal string Text(ref MsgPackReader reader, int least, int most)
        {
            return Text(ref reader, least, most, "");
        }

        /// <summary>A string that comes again and again, such as a line's id.</summary>
        internal string Name(ref MsgPackReader reader, int least, int most)
        {
            int offset, count;
            byte[] data = Slice(ref reader, least, most, "", out offset, out count);
            return _names.Of(data, offset, count);
        }

        internal void Strings(ref MsgPackReader reader, List<string> into, int least, int most)
        {
            int count = Enter(ref reader);
            into.Clear();
            for (int i = 0; i < count; i++)
            {
                into.Add(Text(ref reader, least, most, "[" + i + "]"));
            }
        }

        /// <summary>Entries of the list that stands here; goes to the first.</summary>
        internal int Enter(ref MsgPackReader reader)
        {
            if (reader.Type != MsgPackType.List)
            {
                throw Fault(" is " + reader.Describe() + ", expected a list");
            }

            return reader.Enter();
        }

        /// <summary>Entries of the map that stands here, within a list; goes to the first.</summary>
        internal int EnterEntry(ref MsgPackReader reader, Key list, int index)
        {
            if (reader.Type != MsgPackType.Map)
            {
                At(list);
                throw Fault("[" + index + "] is " + reader.Describe() + ", expected a map");
            }

            Within(list, index);
            return reader.Enter();
        }

        internal static Key ReadKey(ref MsgPackReader reader)
        {
            int offset, count;
            bool isText = reader.Type == MsgPackType.Text;
            reader.Bytes(out offset, out count);
            return isText ? Names.FindKey(reader.Data, offset, count) : Key.Unknown;
        }

        private string Text(ref MsgPackReader reader, int least, int most, string where)
        {
            int offset, count;
            byte[] data = Slice(ref reader, least, most, where, out offset, out count);
            return count == 0 ? "" : Encoding.UTF8.GetString(data, offset, count);
        }

        private byte[] Slice(ref MsgPackReader reader, int least, int most, string where, out int offset, out int count)
        {
            if (reader.Type != MsgPackType.Text)
            {
                throw Fault(where + " is " + reader.Describe() + ", expected a string");
            }

            reader.Bytes(out offset, out count);
            int chars = Utf8.Chars(reader.Data, offset, count);
            if (chars < least || chars > most)
            {
                throw Fault(where + " has " + chars + " characters, expected " + least + " to " + most);
            }

            return reader.Data;
        }
    }
}
