using System;

namespace NpcEngine.Crypto
{
    /// <summary>
    /// X25519, RFC 7748: the shared point of a secret and a public key. A number modulo 2^255 − 19 is 16 limbs of 16 bits in 64-bit
    /// integers. No branch and no index depends on a secret; whether a 64-bit product takes the same time for all values is up to
    /// the runtime and the processor (on 32-bit ARM it may not).
    /// </summary>
    internal static class Curve25519
    {
        internal const int Bytes = 32;

        private const int Limbs = 16;

        private static readonly byte[] Base = BasePoint();
        private static readonly long[] A24 = Small(121665); // (486662 - 2) / 4, RFC 7748 section 5

        /// <summary>The public key of a secret one.</summary>
        internal static byte[] Public(byte[] secret)
        {
            return Multiply(secret, Base);
        }

        /// <summary>secret · point, u8[32] each.</summary>
        internal static byte[] Multiply(byte[] secret, byte[] point)
        {
            var scalar = (byte[])secret.Clone();
            scalar[0] &= 248;
            scalar[31] = (byte)((scalar[31] & 127) | 64);
            long[] x1 = Unpack(point);
            long[] x2 = Small(1);
            var z2 = new long[Limbs];
            var x3 = (long[])x1.Clone();
            long[] z3 = Small(1);
            var a = new long[Limbs];
            var b = new long[Limbs];
            var c = new long[Limbs];
            var d = new long[Limbs];
            var e = new long[Limbs];
            for (int t = 254; t >= 0; t--)
            {
                long bit = (scalar[t >> 3] >> (t & 7)) & 1;
                Swap(x2, x3, bit);
                Swap(z2, z3, bit);
                Add(a, x2, z2); // A
                Subtract(b, x2, z2); // B
                Add(c, x3, z3); // C
                Subtract(d, x3, z3); // D
                Times(d, d, a); // DA
                Times(c, c, b); // CB
                Times(a, a, a); // AA
                Times(b, b, b); // BB
                Add(x3, d, c);
                Times(x3, x3, x3);
                Subtract(z3, d, c);
                Times(z3, z3, z3);
                Times(z3, z3, x1);
                Times(x2, a, b);
                Subtract(e, a, b); // E
                Times(z2, e, A24);
                Add(z2, z2, a);
                Times(z2, z2, e);
                Swap(x2, x3, bit);
                Swap(z2, z3, bit);
            }

            Times(x2, x2, Inverse(z2));
            Array.Clear(scalar, 0, scalar.Length);
            return Pack(x2);
        }

        private static byte[] BasePoint()
        {
            var point = new byte[Bytes];
            point[0] = 9;
            return point;
        }

        private static long[] Small(long value)
        {
            var number = new long[Limbs];
            number[0] = value & 0xffff;
            number[1] = value >> 16;
            return number;
        }

        private static long[] Unpack(byte[] data)
        {
            var number = new long[Limbs];
            for (int i = 0; i < Limbs; i++)
            {
                number[i] = data[2 * i] | (long)data[2 * i + 1] << 8;
            }

            number[15] &= 0x7fff; // RFC 7748 section 5: the highest bit is masked
            return number;
        }

        private static void Add(long[] sum, long[] a, long[] b)
        {
            for (int i = 0; i < Limbs; i++)
            {
                sum[i] = a[i] + b[i];
            }
        }

        private static void Subtract(long[] difference, long[] a, long[] b)
        {
            for (int i = 0; i < Limbs; i++)
            {
                difference[i] = a[i] - b[i];
            }
        }

        private static void Times(long[] product, long[] a, long[] b)
        {
            var wide = new long[2 * Limbs - 1];
            for (int i = 0; i < Limbs; i++)
            {
                for (int k = 0; k < Limbs; k++)
                {
                    wide[i + k] += a[i] * b[k];
                }
            }

            for (int i = 0; i < Limbs - 1; i++)
            {
                wide[i] += 38 * wide[i + Limbs]; // 2^256 = 38 modulo 2^255 - 19
            }

            Array.Copy(wide, product, Limbs);
            Carry(product);
            Carry(product);
        }

        /// <summary>Bring each limb to 16 bits, the rest to the next; what leaves the last comes back 38-fold.</summary>
        private static void Carry(long[] number)
        {
            for (int i = 0; i < Limbs; i++)
            {
                long carry = number[i] >> 16;
                number[i] -= carry << 16;
                if (i < Limbs - 1)
                {
                    number[i + 1] += carry;
                }
                else
                {
                    number[0] += 38 * carry;
                }
            }
        }

        /// <summary>Swap if <paramref name="bit"/> is 1, without a branch.</summary>
        private static void Swap(long[] a, long[] b, long bit)
        {
            long mask = -bit;
            for (int i = 0; i < Limbs; i++)
            {
                long differs = mask & (a[i] ^ b[i]);
                a[i] ^= differs;
                b[i] ^= differs;
            }
        }

        /// <summary>number^(p − 2), which is its inverse (Fermat): the exponent's bits are all 1 but for bits 2 and 4.</summary>
        private static long[] Inverse(long[] number)
        {
            var result = (long[])number.Clone();
            for (int bit = 253; bit >= 0; bit--)
            {
                Times(result, result, result);
                if (bit != 2 && bit != 4)
                {
                    Times(result, result, number);
                }
            }

            return result;
        }

        private static byte[] Pack(long[] number)
        {
            Carry(number);
            Carry(number);
            Carry(number);
            var reduced = new long[Limbs];
            for (int round = 0; round < 2; round++) // number < 2^256 < 3 p: take p off twice, where it fits
            {
                reduced[0] = number[0] - 0xffed;
                for (int i = 1; i < Limbs; i++)
                {
                    long most = i == Limbs - 1 ? 0x7fff : 0xffff;
                    reduced[i] = number[i] - most - ((reduced[i - 1] >> 16) & 1);
                    reduced[i - 1] &= 0xffff;
                }

                long below = (reduced[15] >> 16) & 1; // 1: p did not fit
                reduced[15] &= 0xffff;
                Swap(number, reduced, 1 - below);
            }

            var data = new byte[Bytes];
            for (int i = 0; i < Limbs; i++)
            {
                data[2 * i] = (byte)number[i];
                data[2 * i + 1] = (byte)(number[i] >> 8);
            }

            return data;
        }
    }
}
