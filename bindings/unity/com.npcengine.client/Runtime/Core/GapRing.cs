using System;
using System.Collections.Generic;

namespace NpcEngine
{
    /// <summary>Stretches of silence that are not of the line, by position.</summary>
    internal sealed class GapRing
    {
        private readonly List<long> _starts = new List<long>();
        private readonly List<long> _lengths = new List<long>();
        private long _forgotten; // lengths of those that are forgotten

        internal int Count { get { return _starts.Count; } }

        internal long LastEnd { get { return _starts[Count - 1] + _lengths[Count - 1]; } }

        internal long Start(int index)
        {
            return _starts[index];
        }

        internal long Length(int index)
        {
            return _lengths[index];
        }

        internal void Clear()
        {
            _starts.Clear();
            _lengths.Clear();
            _forgotten = 0;
        }

        internal void Add(long start, long length)
        {
            if (Count > 0 && LastEnd == start)
            {
                _lengths[Count - 1] += length;
            }
            else
            {
                _starts.Add(start);
                _lengths.Add(length);
            }
        }

        internal long RemoveLast()
        {
            long length = _lengths[Count - 1];
            _starts.RemoveAt(Count - 1);
            _lengths.RemoveAt(_lengths.Count - 1);
            return length;
        }

        internal long SilentBefore(long position)
        {
            long silent = _forgotten;
            for (int i = 0; i < Count; i++)
            {
                if (_starts[i] < position)
                {
                    silent += Math.Min(_lengths[i], position - _starts[i]);
                }
            }

            return silent;
        }

        internal void ForgetBefore(long position)
        {
            while (Count > 0 && _starts[0] + _lengths[0] < position)
            {
                _forgotten += _lengths[0];
                _starts.RemoveAt(0);
                _lengths.RemoveAt(0);
            }
        }
    }
}
