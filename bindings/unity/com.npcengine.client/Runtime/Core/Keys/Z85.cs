namespace NpcEngine
{
    /// <summary>Bytes as text, https://rfc.zeromq.org/spec/32: five characters for four bytes.</summary>
    public static class Z85
    {
        private const string Digits =
            "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

        /// <summary>Characters of a key of 32 bytes.</summary>
        public const int KeyChars = 40;

        /// <summary>Whether a text has the length and the characters of a key.</summary>
        public static bool IsKey(string text)
        {
            if (text == null || text.Length != KeyChars)
            {
                return false;
            }

            for (int i = 0; i < text.Length; i++)
            {
                if (Digits.IndexOf(text[i]) < 0)
                {
                    return false;
                }
            }

            return true;
        }

        /// <summary>Text of bytes, whose number is a multiple of 4.</summary>
        public static string Encode(byte[] data)
        {
            var text = new char[data.Length / 4 * 5];
            for (int i = 0; i < data.Length / 4; i++)
            {
                uint value = (uint)data[4 * i] << 24 | (uint)data[4 * i + 1] << 16 | (uint)data[4 * i + 2] << 8 | data[4 * i + 3];
                for (int digit = 4; digit >= 0; digit--)
                {
                    text[5 * i + digit] = Digits[(int)(value % 85)];
                    value /= 85;
                }
            }

            return new string(text);
        }

        /// <summary>Bytes of a text; null if it is no Z85.</summary>
        public static byte[] Decode(string text)
        {
            if (text.Length % 5 != 0)
            {
                return null;
            }

            var data = new byte[text.Length / 5 * 4];
            for (int i = 0; i < text.Length / 5; i++)
            {
                ulong value = 0;
                for (int digit = 0; digit < 5; digit++)
                {
                    int found = Digits.IndexOf(text[5 * i + digit]);
                    if (found < 0)
                    {
                        return null;
                    }

                    value = value * 85 + (ulong)found;
                }

                if (value > uint.MaxValue)
                {
                    return null;
                }

                for (int b = 0; b < 4; b++)
                {
                    data[4 * i + b] = (byte)(value >> (24 - 8 * b));
                }
            }

            return data;
        }
    }
}
