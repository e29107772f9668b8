using System.Text;

namespace NpcEngine.Wire
{
    /// <summary>The string of bytes that were seen lately, without making it again: each message carries its line's id.</summary>
    internal sealed class StringCache
    {
        private const int Places = 256;

        private readonly byte[][] _bytes = new byte[Places][];
        private readonly string[] _strings = new string[Places];

        internal string Of(byte[] data, int offset, int count)
        {
            if (count == 0)
            {
                return "";
            }

            uint hash = 2166136261; // FNV-1a
            for (int i = 0; i < count; i++)
            {
                hash = (hash ^ data[offset + i]) * 16777619;
            }

            var place = (int)(hash % Places);
            byte[] known = _bytes[place];
            if (known == null || !Same(known, data, offset, count))
            {
                known = new byte[count];
                System.Buffer.BlockCopy(data, offset, known, 0, count);
                _bytes[place] = known;
                _strings[place] = Encoding.UTF8.GetString(data, offset, count);
            }

            return _strings[place];
        }

        private static bool Same(byte[] known, byte[] data, int offset, int count)
        {
            if (known.Length != count)
            {
                return false;
            }

            for (int i = 0; i < count; i++)
            {
                if (known[i] != data[offset + i])
                {
                    return false;
                }
            }

            return true;
        }
    }
}
