using System;
using System.Diagnostics;
using System.Threading;

namespace NpcEngine.Tests
{
    /// <summary>
    /// ADDRESS EXPECTED [SERVER_KEY KEY]: connects, asks for a line, and goes on until an event comes whose text begins with EXPECTED
    /// ("Kind:code: …"). Then that the line failed, that closing is quick, and that no thread is left. Prints the events.
    /// </summary>
    internal static class FaultChecks
    {
        private const int MostMs = 30000;

        internal static void Run(string[] arguments)
        {
            var options = new ClientOptions
            {
                Address = arguments[0], Name = "faults", ConnectTimeoutMs = 2000, HandshakeTimeoutMs = 500, SilenceMs = 800, HeartbeatMs = 200,
                WaitForEngineMs = 600, AcceptTimeoutMs = 1500,
            };
            if (arguments.Length > 2)
            {
                options.ServerKey = arguments[2];
                options.Key = arguments[3];
            }

            var clock = Stopwatch.StartNew();
            bool found = false;
            string ended = "";
            double longest = 0;
            Thread[] threads;
            using (var client = new Client(options))
            {
                client.Connect();
                threads = ThreadChecks.Of(client);
                client.Speak("anna", "one two", new SpeakOptions { Line = "l1" });
                client.Append("l1", "nothing"); // is refused by engines, and no matter here
                while (clock.ElapsedMilliseconds < MostMs && !(found && ended.Length > 0))
                {
                    var frame = Stopwatch.StartNew();
                    NpcEvent told;
                    while (client.Next(out told))
                    {
                        string text = told.Kind + ":" + told.Code + ": " + told.Text;
                        Console.WriteLine(text + (told.Line.Length > 0 ? " of " + told.Line : ""));
                        found |= text.StartsWith(arguments[1], StringComparison.Ordinal);
                        if (told.Line == "l1" && told.Ends && told.Kind != NpcEventKind.Accepted && told.Kind != NpcEventKind.Moment
                            && told.Kind != NpcEventKind.Words)
                        {
                            ended += ended.Length > 0 ? " twice" : told.Kind + ":" + told.Code;
                        }
                    }

                    longest = Math.Max(longest, frame.Elapsed.TotalMilliseconds);
                    Thread.Sleep(2);
                }

                clock.Restart();
            }

            Console.WriteLine("line " + ended + ", closed in " + clock.ElapsedMilliseconds + " ms, longest frame " + longest.ToString("0.0") + " ms");
            Program.Check(found, "event", "'" + arguments[1] + "' was not told");
            Program.Check(ended == "Error:disconnected" || ended == "Error:no-answer" || ended == "End:", "line", "ended as '" + ended + "'");
            Program.Check(clock.ElapsedMilliseconds < 3000, "closing", "took " + clock.ElapsedMilliseconds + " ms");
            ThreadChecks.AreOver(threads);
        }
    }
}
