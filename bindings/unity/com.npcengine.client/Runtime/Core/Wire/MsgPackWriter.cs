using System;
using System.Text;

namespace NpcEngine.Wire
{
    /// <summary>
    /// Writes a message's header, each value in msgpack's shortest form. The buffer is used again; it makes garbage only to grow.
    /// </summary>
    internal sealed class MsgPackWriter
    {
        private const int Reserved = 3; // for the head of the outer map, whose length is known last

        private byte[] _data = new byte[256];
        private int _at;
        private int _entries;
        private int _inner; // where the head of an inner map stands; 0 if there is none
        private int _innerEntries;

        internal byte[] Data { get { return _data; } }

        /// <summary>Where the header begins in <see cref="Data"/>, once <see cref="End"/> was called.</summary>
        internal int Start { get; private set; }

        /// <summary>Its length.</summary>
        internal int Count { get { return _at - Start; } }

        internal void Begin(string kind)
        {
            _at = Reserved;
            _entries = _inner = 0;
            Text("kind", kind);
        }

        internal void End()
        {
            Start = _entries < 16 ? Reserved - 1 : 0;
            if (_entries < 16)
            {
                _data[Start] = (byte)(0x80 | _entries);
            }
            else
            {
                _data[0] = 0xDE;
                _data[1] = (byte)(_entries >> 8);
                _data[2] = (byte)_entries;
            }
        }

        internal void Text(string key, string value)
        {
            Key(key);
            Write(value);
        }

        internal void Whole(string key, long value)
        {
            Key(key);
            Write(value);
        }

        internal void Truth(string key, bool value)
        {
            Key(key);
            Reserve(1);
            _data[_at++] = (byte)(value ? 0xC3 : 0xC2);
        }

        internal void Real(string key, double value)
        {
            Key(key);
            Reserve(9);
            _data[_at++] = 0xCB;
            Write((ulong)BitConverter.DoubleToInt64Bits(value), 8);
        }

        /// <summary>Begin a map of less than 16 entries within; <see cref="EndMap"/> leaves it out if nothing was put in.</summary>
        internal void BeginMap(string key)
        {
            Key(key);
            Reserve(1);
            _inner = _at++;
            _innerEntries = 0;
        }

        internal void EndMap(string key)
        {
            if (_innerEntries == 0)
            {
                _at = _inner - 1 - key.Length; // a key of less than 32 letters has a head of one byte
                _entries--;
            }
            else
            {
                _data[_inner] = (byte)(0x80 | _innerEntries);
            }

            _inner = 0;
        }

        private void Key(string key)
        {
            if (_inner > 0)
            {
                _innerEntries++;
            }
            else
            {
                _entries++;
            }

            Write(key);
        }

        private void Write(string text)
        {
            Reserve(5 + Encoding.UTF8.GetMaxByteCount(text.Length));
            int bytes = Encoding.UTF8.GetByteCount(text);
            if (bytes < 32)
            {
                _data[_at++] = (byte)(0xA0 | bytes);
            }
            else
            {
                int wide = bytes < 256 ? 1 : bytes < 65536 ? 2 : 4;
                _data[_at++] = (byte)(wide == 1 ? 0xD9 : wide == 2 ? 0xDA : 0xDB);
                Write((ulong)bytes, wide);
            }

            _at += Encoding.UTF8.GetBytes(text, 0, text.Length, _data, _at);
        }

        private void Write(long value)
        {
            Reserve(9);
            if (value >= -32 && value < 128)
            {
                _data[_at++] = (byte)value;
            }
            else if (value >= 0)
            {
                int wide = value < 256 ? 1 : value < 65536 ? 2 : value <= uint.MaxValue ? 4 : 8;
                _data[_at++] = (byte)(wide == 1 ? 0xCC : wide == 2 ? 0xCD : wide == 4 ? 0xCE : 0xCF);
                Write((ulong)value, wide);
            }
            else
            {
                int wide = value >= sbyte.MinValue ? 1 : value >= short.MinValue ? 2 : value >= int.MinValue ? 4 : 8;
                _data[_at++] = (byte)(wide == 1 ? 0xD0 : wide == 2 ? 0xD1 : wide == 4 ? 0xD2 : 0xD3);
                Write((ulong)value, wide);
            }
        }

        private void Write(ulong value, int bytes)
        {
            for (int i = bytes - 1; i >= 0; i--)
            {
                _data[_at++] = (byte)(value >> (8 * i));
            }
        }

        private void Reserve(int more)
        {
            if (_at + more > _data.Length)
            {
                Array.Resize(ref _data, Math.Max(2 * _data.Length, _at + more));
            }
        }
    }
}
