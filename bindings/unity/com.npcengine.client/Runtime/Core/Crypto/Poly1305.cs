namespace NpcEngine.Crypto
{
    /// <summary>
    /// Poly1305, RFC 8439 section 2.5: the tag of a message under a key that is used once. Numbers modulo 2^130 − 5 are five limbs of 26
    /// bits; no branch depends on the key or the message. One object serves one thread.
    /// </summary>
    internal sealed class Poly1305
    {
        internal const int TagBytes = 16;

        private const uint Limb = 0x3ffffff;

        private readonly uint[] _r = new uint[5];
        private readonly uint[] _h = new uint[5];
        private readonly uint[] _less = new uint[5];
        private readonly byte[] _last = new byte[17];

        /// <summary>Write the tag of a part of an array under a key, u8[32], into <paramref name="tag"/> at <paramref name="tagOffset"/>.</summary>
        internal void Tag(byte[] key, byte[] data, int offset, int count, byte[] tag, int tagOffset)
        {
            _r[0] = Load(key, 0) & 0x3ffffff; // r is clamped: RFC 8439 section 2.5.1
            _r[1] = (Load(key, 3) >> 2) & 0x3ffff03;
            _r[2] = (Load(key, 6) >> 4) & 0x3ffc0ff;
            _r[3] = (Load(key, 9) >> 6) & 0x3f03fff;
            _r[4] = (Load(key, 12) >> 8) & 0x00fffff;
            System.Array.Clear(_h, 0, 5);
            for (; count >= 16; count -= 16, offset += 16)
            {
                Block(data, offset, 1u << 24);
            }

            if (count > 0)
            {
                System.Array.Clear(_last, 0, _last.Length);
                System.Buffer.BlockCopy(data, offset, _last, 0, count);
                _last[count] = 1;
                Block(_last, 0, 0);
            }

            Finish(key, tag, tagOffset);
        }

        /// <summary>Whether two tags are the same, in a time that does not tell where they differ.</summary>
        internal static bool Same(byte[] a, int aOffset, byte[] b, int bOffset)
        {
            int differs = 0;
            for (int i = 0; i < TagBytes; i++)
            {
                differs |= a[aOffset + i] ^ b[bOffset + i];
            }

            return differs == 0;
        }

        private void Block(byte[] data, int at, uint high)
        {
            ulong h0 = _h[0] + (Load(data, at) & Limb);
            ulong h1 = _h[1] + ((Load(data, at + 3) >> 2) & Limb);
            ulong h2 = _h[2] + ((Load(data, at + 6) >> 4) & Limb);
            ulong h3 = _h[3] + ((Load(data, at + 9) >> 6) & Limb);
            ulong h4 = _h[4] + ((Load(data, at + 12) >> 8) | high);
            ulong r0 = _r[0], r1 = _r[1], r2 = _r[2], r3 = _r[3], r4 = _r[4];
            ulong s1 = 5 * r1, s2 = 5 * r2, s3 = 5 * r3, s4 = 5 * r4; // 2^130 = 5 modulo 2^130 - 5
            ulong d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1;
            ulong d1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2;
            ulong d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3;
            ulong d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4;
            ulong d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0;
            d1 += d0 >> 26;
            d2 += d1 >> 26;
            d3 += d2 >> 26;
            d4 += d3 >> 26;
            ulong low = (d0 & Limb) + 5 * (d4 >> 26);
            _h[0] = (uint)(low & Limb);
            _h[1] = (uint)((d1 & Limb) + (low >> 26));
            _h[2] = (uint)(d2 & Limb);
            _h[3] = (uint)(d3 & Limb);
            _h[4] = (uint)(d4 & Limb);
        }

        private void Finish(byte[] key, byte[] tag, int at)
        {
            for (int round = 0; round < 2; round++)
            {
                for (int i = 0; i < 4; i++)
                {
                    _h[i + 1] += _h[i] >> 26;
                    _h[i] &= Limb;
                }

                _h[0] += 5 * (_h[4] >> 26);
                _h[4] &= Limb;
            }

            uint carry = 5; // h + 5 reaches 2^130 exactly if h is p or more; without that bit it is then h - p
            for (int i = 0; i < 5; i++)
            {
                uint sum = _h[i] + carry;
                _less[i] = sum & Limb;
                carry = sum >> 26;
            }

            uint mask = 0u - carry;
            for (int i = 0; i < 5; i++)
            {
                _h[i] = (_h[i] & ~mask) | (_less[i] & mask);
            }

            ulong word = Add(key, 16, _h[0] | _h[1] << 26, 0, tag, at);
            word = Add(key, 20, _h[1] >> 6 | _h[2] << 20, word, tag, at + 4);
            word = Add(key, 24, _h[2] >> 12 | _h[3] << 14, word, tag, at + 8);
            Add(key, 28, _h[3] >> 18 | _h[4] << 8, word, tag, at + 12);
        }

        /// <summary>Write 32 bits of h + s; the carry.</summary>
        private static ulong Add(byte[] key, int at, uint h, ulong carry, byte[] tag, int tagAt)
        {
            ulong sum = (ulong)h + Load(key, at) + carry;
            for (int i = 0; i < 4; i++)
            {
                tag[tagAt + i] = (byte)(sum >> (8 * i));
            }

            return sum >> 32;
        }

        private static uint Load(byte[] data, int at)
        {
            return data[at] | (uint)data[at + 1] << 8 | (uint)data[at + 2] << 16 | (uint)data[at + 3] << 24;
        }
    }
}
