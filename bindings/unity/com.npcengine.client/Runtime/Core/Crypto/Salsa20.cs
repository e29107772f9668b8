using System;

namespace NpcEngine.Crypto
{
    /// <summary>
    /// XSalsa20 (D. J. Bernstein, "Extending the Salsa20 nonce", 2011): 24 bytes of nonce. Additions, rotations and exclusive ors of
    /// 32 bits only, whose time depends on no value. One object serves one thread.
    /// </summary>
    internal sealed class Salsa20
    {
        private const int Rounds = 20;
        private const int BlockBytes = 64;

        private readonly uint[] _input = new uint[16];
        private readonly uint[] _state = new uint[16];
        private readonly byte[] _block = new byte[BlockBytes];
        private readonly byte[] _subkey = new byte[32];
        private int _left; // bytes of _block that are not used

        /// <summary>The key of HSalsa20, u8[32], of a key and the first 16 bytes of a nonce.</summary>
        internal void HSalsa(byte[] key, byte[] nonce, byte[] into)
        {
            Fill(key, nonce, 16);
            Mix();
            for (int i = 0; i < 4; i++)
            {
                Store(_state[5 * i], into, 4 * i);
                Store(_state[6 + i], into, 16 + 4 * i);
            }
        }

        /// <summary>Begin the stream of a key, u8[32], and a nonce, u8[24].</summary>
        internal void Begin(byte[] key, byte[] nonce)
        {
            HSalsa(key, nonce, _subkey);
            Fill(_subkey, nonce, 8);
            _input[6] = Load(nonce, 16);
            _input[7] = Load(nonce, 20);
            _input[8] = _input[9] = 0; // counter of blocks
            _left = 0;
        }

        /// <summary>Exclusive or of the stream's next bytes and a part of an array, in place.</summary>
        internal void Apply(byte[] data, int offset, int count)
        {
            while (count > 0)
            {
                if (_left == 0)
                {
                    NextBlock();
                }

                int now = Math.Min(count, _left);
                int from = BlockBytes - _left;
                for (int i = 0; i < now; i++)
                {
                    data[offset + i] ^= _block[from + i];
                }

                _left -= now;
                offset += now;
                count -= now;
            }
        }

        private void Fill(byte[] key, byte[] nonce, int nonceBytes)
        {
            _input[0] = 0x61707865; // "expand 32-byte k"
            _input[5] = 0x3320646e;
            _input[10] = 0x79622d32;
            _input[15] = 0x6b206574;
            for (int i = 0; i < 4; i++)
            {
                _input[1 + i] = Load(key, 4 * i);
                _input[11 + i] = Load(key, 16 + 4 * i);
                _input[6 + i] = 4 * i < nonceBytes ? Load(nonce, 4 * i) : 0;
            }
        }

        private void NextBlock()
        {
            Mix();
            for (int i = 0; i < 16; i++)
            {
                Store(_state[i] + _input[i], _block, 4 * i);
            }

            _left = BlockBytes;
            if (++_input[8] == 0)
            {
                _input[9]++;
            }
        }

        private void Mix()
        {
            Array.Copy(_input, _state, 16);
            for (int round = 0; round < Rounds; round += 2)
            {
                Quarter(0, 4, 8, 12);
                Quarter(5, 9, 13, 1);
                Quarter(10, 14, 2, 6);
                Quarter(15, 3, 7, 11);
                Quarter(0, 1, 2, 3);
                Quarter(5, 6, 7, 4);
                Quarter(10, 11, 8, 9);
                Quarter(15, 12, 13, 14);
            }
        }

        private void Quarter(int a, int b, int c, int d)
        {
            uint[] x = _state;
            x[b] ^= Rotated(x[a] + x[d], 7);
            x[c] ^= Rotated(x[b] + x[a], 9);
            x[d] ^= Rotated(x[c] + x[b], 13);
            x[a] ^= Rotated(x[d] + x[c], 18);
        }

        private static uint Rotated(uint value, int bits)
        {
            return value << bits | value >> (32 - bits);
        }

        private static uint Load(byte[] data, int at)
        {
            return data[at] | (uint)data[at + 1] << 8 | (uint)data[at + 2] << 16 | (uint)data[at + 3] << 24;
        }

        private static void Store(uint value, byte[] data, int at)
        {
            data[at] = (byte)value;
            data[at + 1] = (byte)(value >> 8);
            data[at + 2] = (byte)(value >> 16);
            data[at + 3] = (byte)(value >> 24);
        }
    }
}
