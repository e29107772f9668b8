namespace NpcEngine
{
    /// <summary>How a line is said and what is sent of it. All have the defaults of PROTOCOL.md; one object may serve many lines.</summary>
    public sealed class SpeakOptions
    {
        /// <summary>An id of the game's own making, 1 to 64 characters; "" lets the client make one.</summary>
        public string Line = "";

        /// <summary>Another voice than the character's; without a character, the voice.</summary>
        public string Voice = "";

        /// <summary>Another face than the character's; without a character, the face.</summary>
        public string Face = "";

        /// <summary>"serious", "lively", "cartoon", or "" for the character's own.</summary>
        public string Style = "";

        /// <summary>"neutral", "happy", "sad", "angry", "afraid", "surprised" or "disgusted".</summary>
        public string Emotion = "neutral";

        /// <summary>How strong the emotion is, 0 … 1.</summary>
        public double Strength = 1.0;

        /// <summary>−100 … 100: the higher is made and sent first, where the engine can't serve all at once.</summary>
        public int Priority;

        /// <summary>Milliseconds of sound that the engine may send before <see cref="Client.Credit"/>, 0 … 10,000; −1: 600, and 200 of a line that says nothing.</summary>
        public int CreditMs = -1;

        /// <summary>"wait" for the character's other lines, "replace" (cut) them, or sound "beside" them.</summary>
        public string Turn = "wait";

        /// <summary>Within how many milliseconds the first moment must leave, else the line is refused; 0: no matter.</summary>
        public int DeadlineMs;

        /// <summary>How long a line that says nothing lasts; 0: until it is cancelled or the character speaks. Only of <see cref="Client.Idle"/>.</summary>
        public int LastsMs;

        /// <summary>Take the noise out of live sound. Only of <see cref="Client.Live"/>.</summary>
        public bool Denoise;

        /// <summary>Send sound.</summary>
        public bool Sound = true;

        /// <summary>"exp50", "arkit52", "visemes15" or "none".</summary>
        public string Coefficients = "exp50";

        /// <summary>Send words.</summary>
        public bool Words = true;

        /// <summary>Edge of the square picture in pixels, 32 … 2048; 0 sends none.</summary>
        public int Picture;

        /// <summary>Ticks from picture to picture, 1 … 50: 1 is 50 a second, 2 is 25.</summary>
        public int PictureEvery = 2;

        /// <summary>"jpeg", "png", "webp", or "" for a JPEG, or a PNG where the face has transparency. Unity reads no WebP.</summary>
        public string PictureFormat = "";

        /// <summary>Pictures may be left out where they would hold up the sound; false: never (a recording).</summary>
        public bool Thin = true;

        /// <summary>Coefficients a tick that <see cref="Coefficients"/> brings: 50, 52, 15 or 0.</summary>
        public int Channels
        {
            get { return Coefficients == "exp50" ? 50 : Coefficients == "arkit52" ? 52 : Coefficients == "visemes15" ? 15 : 0; }
        }
    }
}
