using System;
using System.Collections.Generic;

namespace NpcEngine
{
    /// <summary>Pictures by the sample from which on they are shown; their buffers are used again.</summary>
    internal sealed class PictureRing
    {
        private readonly List<Slot> _kept = new List<Slot>();
        private readonly Stack<Slot> _spare = new Stack<Slot>();
        private int _number;

        internal sealed class Slot
        {
            internal long Sample;
            internal byte[] Data = Nothing.Bytes;
            internal int Bytes;
            internal int Number;
        }

        /// <summary>The face at rest; null if none came.</summary>
        internal Slot Rest { get; private set; }

        internal void Clear()
        {
            while (_kept.Count > 0)
            {
                RemoveFirst();
            }

            if (Rest != null)
            {
                _spare.Push(Rest);
                Rest = null;
            }
        }

        internal void SetRest(byte[] data, int bytes)
        {
            if (bytes > 0)
            {
                Rest = Filled(0, data, bytes);
            }
        }

        internal void Add(long sample, byte[] data, int bytes)
        {
            _kept.Add(Filled(sample, data, bytes));
        }

        /// <summary>The newest picture that is not after a sample; null before the first.</summary>
        internal Slot At(long sample)
        {
            Slot found = null;
            for (int i = 0; i < _kept.Count && _kept[i].Sample <= sample; i++)
            {
                found = _kept[i];
            }

            return found;
        }

        internal void ForgetBefore(long sample)
        {
            while (_kept.Count > 1 && _kept[1].Sample <= sample)
            {
                RemoveFirst();
            }
        }

        private void RemoveFirst()
        {
            _spare.Push(_kept[0]);
            _kept.RemoveAt(0);
        }

        private Slot Filled(long sample, byte[] data, int bytes)
        {
            Slot slot = _spare.Count > 0 ? _spare.Pop() : new Slot();
            if (slot.Data.Length < bytes)
            {
                slot.Data = new byte[bytes + bytes / 2]; // the next may be larger: pictures of a face differ little
            }

            Buffer.BlockCopy(data, 0, slot.Data, 0, bytes);
            slot.Sample = sample;
            slot.Bytes = bytes;
            slot.Number = ++_number;
            return slot;
        }
    }
}
