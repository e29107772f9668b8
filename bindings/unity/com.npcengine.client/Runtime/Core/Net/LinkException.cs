using System;

namespace NpcEngine.Net
{
    /// <summary>A connection that does not come to be, or that broke. Stays on the socket's thread; the game gets an event.</summary>
    internal sealed class LinkException : Exception
    {
        internal readonly string Code;

        /// <summary>With one of <see cref="Codes"/>; of code <see cref="Codes.Refused"/> there is no use in trying again.</summary>
        internal LinkException(string code, string text) : base(text)
        {
            Code = code;
        }
    }
}
