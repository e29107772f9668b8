using System;
using System.Globalization;
using System.Text;

namespace NpcEngine.Wire
{
    /// <summary>What a msgpack value is.</summary>
    internal enum MsgPackType
    {
        Nil,
        Truth,
        Whole,
        Real,
        Text,
        Binary,
        List,
        Map,
    }

    /// <summary>
    /// Reads msgpack from a part of an array, without garbage. The part must have passed <see cref="Check"/>, so that what is read
    /// lies within it.
    /// </summary>
    internal partial struct MsgPackReader
    {
        private readonly byte[] _data;
        private int _at;

        internal MsgPackReader(byte[] data, int offset)
        {
            _data = data;
            _at = offset;
        }

        internal byte[] Data { get { return _data; } }

        internal MsgPackType Type { get { return TypeOf(_data[_at]); } }

        private static MsgPackType TypeOf(byte tag)
        {
            if (tag < 0x80 || tag >= 0xE0)
            {
                return MsgPackType.Whole;
            }

            if (tag < 0xC0)
            {
                return tag < 0x90 ? MsgPackType.Map : tag < 0xA0 ? MsgPackType.List : MsgPackType.Text;
            }

            switch (tag)
            {
                case 0xC0:
                    return MsgPackType.Nil;
                case 0xC2:
                case 0xC3:
                    return MsgPackType.Truth;
                case 0xCA:
                case 0xCB:
                    return MsgPackType.Real;
                case 0xD9:
                case 0xDA:
                case 0xDB:
                    return MsgPackType.Text;
                case 0xDC:
                case 0xDD:
                    return MsgPackType.List;
                case 0xDE:
                case 0xDF:
                    return MsgPackType.Map;
                default:
                    return tag <= 0xC6 ? MsgPackType.Binary : MsgPackType.Whole;
            }
        }

        /// <summary>Bytes of the tag and of the length that follows it; of a number, the tag alone.</summary>
        private static int HeadBytes(int tag)
        {
            switch (tag)
            {
                case 0xC4:
                case 0xD9:
                    return 2;
                case 0xC5:
                case 0xDA:
                case 0xDC:
                case 0xDE:
                    return 3;
                case 0xC6:
                case 0xDB:
                case 0xDD:
                case 0xDF:
                    return 5;
                default:
                    return 1;
            }
        }

        /// <summary>Entries of a list or map; bytes after the head of anything else.</summary>
        private static long Size(byte[] data, int at)
        {
            int tag = data[at];
            if (tag < 0x80 || tag >= 0xE0)
            {
                return 0;
            }

            if (tag < 0xC0)
            {
                return tag < 0xA0 ? tag & 15 : tag & 31;
            }

            int head = HeadBytes(tag);
            if (head > 1)
            {
                return (long)Unsigned(data, at + 1, head - 1);
            }

            switch (tag)
            {
                case 0xCC:
                case 0xD0:
                    return 1;
                case 0xCD:
                case 0xD1:
                    return 2;
                case 0xCA:
                case 0xCE:
                case 0xD2:
                    return 4;
                case 0xCB:
                case 0xCF:
                case 0xD3:
                    return 8;
                default:
                    return 0;
            }
        }

        private static ulong Unsigned(byte[] data, int at, int count)
        {
            ulong value = 0;
            for (int i = 0; i < count; i++)
            {
                value = value << 8 | data[at + i];
            }

            return value;
        }

        /// <summary>Entries of the map or list that stands here; goes to the first.</summary>
        internal int Enter()
        {
            int size = (int)Size(_data, _at);
            _at += HeadBytes(_data[_at]);
            return size;
        }

        /// <summary>Where the text (or binary) that stands here lies; goes on.</summary>
        internal void Bytes(out int offset, out int count)
        {
            count = (int)Size(_data, _at);
            offset = _at + HeadBytes(_data[_at]);
            _at = offset + count;
        }

        /// <summary>The whole number that stands here; one beyond 2^63 is told as 2^63 − 1. Goes on.</summary>
        internal long Whole()
        {
            int tag = _data[_at];
            int size = (int)Size(_data, _at);
            ulong value = Unsigned(_data, _at + 1, size);
            _at += 1 + size;
            if (tag < 0x80 || tag >= 0xE0)
            {
                return (sbyte)tag;
            }

            switch (tag)
            {
                case 0xD0:
                    return (sbyte)value;
                case 0xD1:
                    return (short)value;
                case 0xD2:
                    return (int)value;
                case 0xD3:
                    return (long)value;
                default:
                    return value > long.MaxValue ? long.MaxValue : (long)value;
            }
        }

        /// <summary>The truth value that stands here; goes on.</summary>
        internal bool Truth()
        {
            return _data[_at++] == 0xC3;
        }

        /// <summary>Go on to the next value.</summary>
        internal void Skip()
        {
            MsgPackType type = Type;
            if (type == MsgPackType.List || type == MsgPackType.Map)
            {
                int values = Enter() * (type == MsgPackType.Map ? 2 : 1);
                for (int i = 0; i < values; i++)
                {
                    Skip();
                }
            }
            else
            {
                int offset, count;
                Bytes(out offset, out count);
            }
        }

        /// <summary>What stands here, for an error; goes on.</summary>
        internal string Describe()
        {
            switch (Type)
            {
                case MsgPackType.Nil:
                    _at++;
                    return "nothing";
                case MsgPackType.Truth:
                    return Truth() ? "true" : "false";
                case MsgPackType.Whole:
                    return Whole().ToString(CultureInfo.InvariantCulture);
                case MsgPackType.Real:
                    int size = (int)Size(_data, _at);
                    var bits = (long)Unsigned(_data, _at + 1, size);
                    _at += 1 + size;
                    double real = size == 8 ? BitConverter.Int64BitsToDouble(bits) : Bits.ToFloat((int)bits);
                    return real.ToString("R", CultureInfo.InvariantCulture);
                case MsgPackType.Text:
                    int offset, count;
                    Bytes(out offset, out count);
                    string text = Encoding.UTF8.GetString(_data, offset, count);
                    return text.Length <= 40 ? "'" + text + "'" : "'" + text.Substring(0, 40) + "…";
                case MsgPackType.Binary:
                    Skip();
                    return "binary";
                case MsgPackType.List:
                    Skip();
                    return "a list";
                default:
                    Skip();
                    return "a map";
            }
        }
    }
}
