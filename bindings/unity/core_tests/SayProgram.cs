using System;
using System.Diagnostics;
using System.Threading;

namespace NpcEngine.Tests
{
    /// <summary>
    /// ADDRESS [SERVER_KEY KEY]: asks for line "l1", then prints every event until a pong of mark 99 comes: what a test's own engine sends
    /// is seen as a game sees it.
    /// </summary>
    internal static class SayProgram
    {
        internal static void Run(string[] arguments)
        {
            var clock = Stopwatch.StartNew();
            bool done = false;
            Thread[] threads;
            using (var client = new Client(new ClientOptions { Address = arguments[0], Name = "say" }))
            {
                client.Connect();
                threads = ThreadChecks.Of(client);
                client.Speak("anna", "one", new SpeakOptions { Line = "l1" });
                while (!done && clock.ElapsedMilliseconds < 30000)
                {
                    NpcEvent told;
                    while (client.Next(out told))
                    {
                        Console.WriteLine(told.Kind + " " + told.Code + " '" + told.Line + "' '" + told.Id + "' " + (told.Ends ? "ends" : "goes on") + " " + told.Text);
                        done |= told.Kind == NpcEventKind.Pong && told.Number == 99;
                    }

                    Thread.Sleep(1);
                }
            }

            Program.Check(done, "pong", "did not come");
            ThreadChecks.AreOver(threads);
        }
    }
}
