using System;
using System.Collections.Generic;
using NpcEngine.Wire;

namespace NpcEngine.Tests
{
    /// <summary>Messages of the game, from what the golden files' JSON tells.</summary>
    internal static class GoldenRequests
    {
        internal static Request Built(Dictionary<string, object> message)
        {
            var request = new Request();
            switch ((string)message["kind"])
            {
                case "hello":
                    return request.Hello(Whole(message, "version"), Text(message, "client"));
                case "speak":
                    return request.Speak(Speak(message));
                case "append":
                    return request.Append(Text(message, "line"), Text(message, "text"));
                case "sound":
                    float[] sound = Sound(message["sound"]);
                    return request.Sound(Text(message, "line"), sound, 0, sound.Length);
                case "commit":
                    return request.Commit(Text(message, "line"));
                case "credit":
                    return request.Credit(Text(message, "line"), Whole(message, "ms"));
                case "playhead":
                    return request.Playhead(Text(message, "line"), Whole(message, "sample"));
                case "cancel":
                    return request.Cancel(Text(message, "line"), Text(message, "npc"), (bool)message["all"]);
                case "warm":
                    return request.Warm(Text(message, "id"), Text(message, "npc"), Text(message, "text"), Manner(message));
                case "ping":
                    return request.Ping(Whole(message, "mark"));
                case "list":
                    return request.List();
                case "report":
                    return request.Report();
                default:
                    throw new ArgumentException("kind " + message["kind"]);
            }
        }

        /// <summary>Raise what the client raises before it sends.</summary>
        internal static void Check(Dictionary<string, object> message)
        {
            if ((string)message["kind"] == "speak")
            {
                Checks.Check(Speak(message));
            }
            else
            {
                Checks.Check(Text(message, "npc"), Text(message, "text"), Manner(message));
            }
        }

        private static SpeakRequest Speak(Dictionary<string, object> message)
        {
            SpeakOptions options = Manner(message);
            var outputs = (Dictionary<string, object>)message["outputs"];
            options.Face = Text(message, "face");
            options.Priority = (int)Whole(message, "priority");
            options.CreditMs = (int)Whole(message, "credit_ms");
            options.Turn = Text(message, "turn");
            options.DeadlineMs = (int)Whole(message, "deadline_ms");
            options.LastsMs = (int)Whole(message, "lasts_ms");
            options.Denoise = (bool)message["denoise"];
            options.Sound = (bool)outputs["sound"];
            options.Coefficients = Text(outputs, "coefficients");
            options.Words = (bool)outputs["words"];
            options.Picture = (int)Whole(outputs, "picture");
            options.PictureEvery = (int)Whole(outputs, "picture_every");
            options.PictureFormat = Text(outputs, "picture_format");
            options.Thin = (bool)outputs["thin"];
            return new SpeakRequest
            {
                Line = Text(message, "line"), Text = Text(message, "text"), Npc = Text(message, "npc"),
                Attitude = Text(message, "attitude"), Open = (bool)message["open"], Live = (bool)message["live"],
                SoundRate = (int)Whole(message, "sound_rate"), Options = options,
            };
        }

        private static SpeakOptions Manner(Dictionary<string, object> message)
        {
            return new SpeakOptions
            {
                Voice = Text(message, "voice"), Style = Text(message, "style"), Emotion = Text(message, "emotion"),
                Strength = (double)message["strength"],
            };
        }

        private static float[] Sound(object told)
        {
            var samples = told as List<object>;
            var sound = new float[samples == null ? 0 : samples.Count];
            for (int i = 0; i < sound.Length; i++)
            {
                sound[i] = (float)(double)samples[i] / 32767f;
            }

            return sound;
        }

        private static string Text(Dictionary<string, object> message, string key)
        {
            return (string)message[key];
        }

        private static long Whole(Dictionary<string, object> message, string key)
        {
            return (long)(double)message[key];
        }
    }
}
