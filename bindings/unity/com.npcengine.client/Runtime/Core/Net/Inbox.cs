using System.Collections.Generic;

namespace NpcEngine.Net
{
    /// <summary>What the socket's thread has read and the game has not taken; makes no garbage once it has grown.</summary>
    internal sealed class Inbox
    {
        private const int Most = 20000; // credit bounds it far lower

        private readonly Queue<NpcEvent> _events = new Queue<NpcEvent>(256);

        /// <summary>Whether one more may come; where not, the engine waits, since its socket is not read.</summary>
        internal bool HasRoom { get { lock (_events) { return _events.Count < Most; } } }

        internal void Put(NpcEvent told)
        {
            lock (_events)
            {
                _events.Enqueue(told);
            }
        }

        internal bool Take(out NpcEvent told)
        {
            lock (_events)
            {
                if (_events.Count > 0)
                {
                    told = _events.Dequeue();
                    return true;
                }
            }

            told = null;
            return false;
        }
    }
}
