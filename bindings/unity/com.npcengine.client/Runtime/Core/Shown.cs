using System.Collections.Generic;

namespace NpcEngine
{
    /// <summary>What to show while a sample is heard. <see cref="Playback"/> gives out the same object each time.</summary>
    public sealed class Shown
    {
        /// <summary>Names of the marks reached since the last look; each is told once.</summary>
        public readonly List<string> Marks = new List<string>();

        /// <summary>Coefficients, interpolated between ticks and eased towards rest: 50, or as many as were asked.</summary>
        public float[] Coefficients = Nothing.Floats;

        /// <summary>An image file; the first <see cref="PictureBytes"/> count. Valid until the next look.</summary>
        public byte[] Picture = Nothing.Bytes;

        /// <summary>Bytes of the picture; 0 before the first, or where none were asked.</summary>
        public int PictureBytes;

        /// <summary>Another number for another picture: load it when this changes. 0: no picture.</summary>
        public int PictureNumber;

        /// <summary>Index into <see cref="Playback.Words"/> of the last word begun; −1 before the first.</summary>
        public int Word = -1;

        /// <summary>0 speaking … 1 at rest: how far the face has eased into neutral.</summary>
        public float Closed;
    }
}
