namespace NpcEngine.Wire
{
    /// <content>Whether bytes are what the reader may read.</content>
    internal partial struct MsgPackReader
    {
        /// <summary>That the part is exactly one value, a map with string keys, within the limits.</summary>
        /// <exception cref="WireException">It is not.</exception>
        internal static void Check(byte[] data, int offset, int count)
        {
            if (count > WireLimits.HeaderBytes)
            {
                throw new WireException("header of " + count + " bytes, expected at most " + WireLimits.HeaderBytes);
            }

            int end = offset + count;
            int at = Walk(data, offset, end, 1);
            if (at != end)
            {
                throw Fault((end - at) + " bytes follow its end");
            }

            if (TypeOf(data[offset]) != MsgPackType.Map)
            {
                throw new WireException("header is " + new MsgPackReader(data, offset).Describe() + ", expected a msgpack map");
            }
        }

        private static WireException Fault(string reason)
        {
            return new WireException("header is no msgpack map: " + reason);
        }

        /// <summary>The place after a value; checks all that is in it.</summary>
        private static int Walk(byte[] data, int at, int end, int depth)
        {
            if (at >= end)
            {
                throw Fault("it ends too early");
            }

            int tag = data[at];
            if (tag == 0xC1)
            {
                throw Fault("a byte that msgpack does not know");
            }

            if ((tag >= 0xC7 && tag <= 0xC9) || (tag >= 0xD4 && tag <= 0xD8))
            {
                throw Fault("an extension type, expected none");
            }

            int head = HeadBytes(tag);
            if (end - at < head)
            {
                throw Fault("it ends too early");
            }

            long size = Size(data, at);
            MsgPackType type = TypeOf((byte)tag);
            at += head;
            if (type == MsgPackType.Map || type == MsgPackType.List)
            {
                return WalkEntries(data, at, end, depth, type == MsgPackType.Map, size);
            }

            if (size > end - at)
            {
                throw Fault(size > WireLimits.HeaderBytes ? "a value of " + size + " bytes" : "it ends too early");
            }

            if (type == MsgPackType.Text && !Utf8.IsValid(data, at, (int)size))
            {
                throw Fault("a string that is not UTF-8");
            }

            return at + (int)size;
        }

        private static int WalkEntries(byte[] data, int at, int end, int depth, bool map, long size)
        {
            if (size > WireLimits.Items)
            {
                throw Fault("a " + (map ? "map" : "list") + " of " + size + " entries, expected at most " + WireLimits.Items);
            }

            if (depth > WireLimits.Depth)
            {
                throw Fault("nested too deep, expected at most " + WireLimits.Depth + " levels");
            }

            for (long i = 0; i < size; i++)
            {
                if (map)
                {
                    if (at < end && TypeOf(data[at]) != MsgPackType.Text && TypeOf(data[at]) != MsgPackType.Binary && data[at] != 0xC1)
                    {
                        throw Fault("a key that is no string");
                    }

                    at = Walk(data, at, end, depth + 1);
                }

                at = Walk(data, at, end, depth + 1);
            }

            return at;
        }
    }
}
