namespace NpcEngine.Wire
{
    /// <summary>The known name that a wrong one is likest, by the measure of Ratcliff and Obershelp (1988).</summary>
    internal static class Near
    {
        private const double Least = 0.6; // likeness from which on a hint helps more than it misleads

        /// <summary>Such as <c>, did you mean 'lively'?</c>; "" if none is near.</summary>
        internal static string Hint(string name, string[] known)
        {
            string best = "";
            double most = Least;
            for (int i = 0; i < known.Length; i++)
            {
                int length = name.Length + known[i].Length;
                double likeness = known[i].Length == 0 ? 0 : 2.0 * Shared(name, 0, name.Length, known[i], 0, known[i].Length) / length;
                if (likeness >= most)
                {
                    most = likeness;
                    best = known[i];
                }
            }

            return best.Length == 0 ? "" : ", did you mean '" + best + "'?";
        }

        /// <summary>Letters of the longest piece that both have, and of those to its left and right.</summary>
        private static int Shared(string a, int aStart, int aEnd, string b, int bStart, int bEnd)
        {
            int length = 0;
            int aAt = 0;
            int bAt = 0;
            for (int i = aStart; i < aEnd; i++)
            {
                for (int k = bStart; k < bEnd; k++)
                {
                    int same = 0;
                    while (i + same < aEnd && k + same < bEnd && a[i + same] == b[k + same])
                    {
                        same++;
                    }

                    if (same > length)
                    {
                        length = same;
                        aAt = i;
                        bAt = k;
                    }
                }
            }

            return length == 0 ? 0
                : length + Shared(a, aStart, aAt, b, bStart, bAt) + Shared(a, aAt + length, aEnd, b, bAt + length, bEnd);
        }
    }
}
