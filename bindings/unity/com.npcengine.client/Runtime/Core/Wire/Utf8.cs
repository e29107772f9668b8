namespace NpcEngine.Wire
{
    /// <summary>UTF-8 without strings.</summary>
    internal static class Utf8
    {
        /// <summary>Whether bytes are UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF (RFC 3629 section 4).</summary>
        internal static bool IsValid(byte[] data, int at, int count)
        {
            int end = at + count;
            while (at < end)
            {
                int lead = data[at++];
                if (lead < 0x80)
                {
                    continue;
                }

                int more = lead >= 0xC2 && lead <= 0xDF ? 1 : (lead & 0xF0) == 0xE0 ? 2 : lead >= 0xF0 && lead <= 0xF4 ? 3 : 0;
                if (more == 0 || at + more > end)
                {
                    return false;
                }

                int least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
                int most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
                if (data[at] < least || data[at] > most)
                {
                    return false;
                }

                for (int i = 1; i < more; i++)
                {
                    if ((data[at + i] & 0xC0) != 0x80)
                    {
                        return false;
                    }
                }

                at += more;
            }

            return true;
        }

        /// <summary>Unicode characters of valid UTF-8.</summary>
        internal static int Chars(byte[] data, int at, int count)
        {
            int chars = 0;
            for (int i = at; i < at + count; i++)
            {
                chars += (data[i] & 0xC0) == 0x80 ? 0 : 1;
            }

            return chars;
        }

        /// <summary>Unicode characters of a string: a pair of surrogates is one.</summary>
        internal static int Chars(string text)
        {
            int chars = text.Length;
            for (int i = 1; i < text.Length; i++)
            {
                chars -= char.IsSurrogatePair(text[i - 1], text[i]) ? 1 : 0;
            }

            return chars;
        }
    }
}
