using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Threading;

namespace NpcEngine.Tests
{
    /// <summary>Whether a client's threads end with it.</summary>
    internal static class ThreadChecks
    {
        /// <summary>The threads of a client, before it is closed.</summary>
        internal static Thread[] Of(Client client)
        {
            object connection = Field(client, "_connection");
            return new[] { (Thread)Field(connection, "_thread"), (Thread)Field(Field(connection, "_sender"), "_thread") };
        }

        /// <summary>That they have ended.</summary>
        internal static void AreOver(Thread[] threads)
        {
            foreach (Thread thread in threads)
            {
                Program.Check(!thread.IsAlive, "thread", thread.Name + " is left");
            }
        }

        /// <summary>
        /// That the system knows no thread of a client any more. Linux tells names, cut to 15 letters; a thread of the runtime's pool has
        /// that of who made it, so that this is no question where names of hosts were looked up.
        /// </summary>
        internal static void AreGone()
        {
            var left = new List<string>();
            for (int tries = 0; tries < 100; tries++) // a thread that was joined may have a few steps to go
            {
                left.Clear();
                foreach (string task in Directory.GetDirectories("/proc/self/task"))
                {
                    try
                    {
                        string name = File.ReadAllText(Path.Combine(task, "comm")).Trim();
                        if (name.StartsWith("NPC Engine", StringComparison.Ordinal))
                        {
                            left.Add(name);
                        }
                    }
                    catch (IOException)
                    {
                        // it has ended meanwhile
                    }
                }

                if (left.Count == 0)
                {
                    break;
                }

                Thread.Sleep(20);
            }

            Program.Check(left.Count == 0, "threads", string.Join(", ", left) + " left");
        }

        private static object Field(object owner, string name)
        {
            return owner.GetType().GetField(name, BindingFlags.Instance | BindingFlags.NonPublic).GetValue(owner);
        }
    }
}
