using System;

namespace NpcEngine.Wire
{
    /// <summary>The frames of one message; their buffers are used again.</summary>
    internal sealed class Frames
    {
        private readonly byte[][] _data = { Nothing.Bytes, Nothing.Bytes, Nothing.Bytes, Nothing.Bytes, Nothing.Bytes };
        private readonly int[] _offsets = new int[WireLimits.Frames + 1];
        private readonly int[] _counts = new int[WireLimits.Frames + 1];

        /// <summary>How many came, those that were too many included.</summary>
        internal int Count { get; private set; }

        internal void Clear()
        {
            Count = 0;
        }

        /// <summary>Room for the next frame; beyond a message's frames, that of the last again.</summary>
        internal byte[] Next(int bytes)
        {
            int index = Math.Min(Count, WireLimits.Frames);
            if (_data[index].Length < bytes)
            {
                _data[index] = new byte[Math.Max(256, bytes + bytes / 2)];
            }

            return _data[index];
        }

        /// <summary>The frame that <see cref="Next"/> gave room for is that part of it.</summary>
        internal void Add(int offset, int count)
        {
            int index = Math.Min(Count, WireLimits.Frames);
            _offsets[index] = offset;
            _counts[index] = count;
            Count++;
        }

        internal byte[] Data(int index)
        {
            return _data[index];
        }

        internal int Offset(int index)
        {
            return _offsets[index];
        }

        internal int Bytes(int index)
        {
            return _counts[index];
        }
    }
}
