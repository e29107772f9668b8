using System.Collections.Generic;

namespace NpcEngine.Net
{
    /// <summary>Objects that are used again, of all threads.</summary>
    internal sealed class Pool<T> where T : class
    {
        private const int Most = 256; // that are kept: a storm leaves no mountain behind

        private readonly Stack<T> _spare = new Stack<T>(Most);
        private readonly System.Func<T> _make;

        internal Pool(System.Func<T> make)
        {
            _make = make;
        }

        internal T Take()
        {
            lock (_spare)
            {
                if (_spare.Count > 0)
                {
                    return _spare.Pop();
                }
            }

            return _make();
        }

        internal void Give(T item)
        {
            lock (_spare)
            {
                if (_spare.Count < Most)
                {
                    _spare.Push(item);
                }
            }
        }
    }
}
