using System.Runtime.InteropServices;

namespace NpcEngine.Wire
{
    /// <summary>Numbers by their bits, without garbage and without unsafe code.</summary>
    internal static class Bits
    {
        [StructLayout(LayoutKind.Explicit)]
        private struct Both
        {
            [FieldOffset(0)]
            internal int Bits;

            [FieldOffset(0)]
            internal float Float;
        }

        /// <summary>An IEEE 754 binary32 of its bits.</summary>
        internal static float ToFloat(int bits)
        {
            return new Both { Bits = bits }.Float;
        }

        /// <summary>Whether a binary16 is finite.</summary>
        internal static bool IsFiniteHalf(int half)
        {
            return (half & 0x7C00) != 0x7C00;
        }

        /// <summary>The value of a finite IEEE 754 binary16.</summary>
        internal static float HalfToFloat(int half)
        {
            int magnitude = half & 0x7FFF;
            float value = magnitude < 0x0400
                ? magnitude * (1f / 16777216f) // subnormal: 2^-24 steps
                : ToFloat((magnitude << 13) + (112 << 23)); // exponents count from 15 here, from 127 there
            return (half & 0x8000) != 0 ? -value : value;
        }
    }
}
