using System;

namespace NpcEngine.Wire
{
    /// <summary>A message that breaks the protocol: what came, what was expected, where. Stays on the socket's thread.</summary>
    internal sealed class WireException : Exception
    {
        internal readonly string Code;
        internal string Line = "";
        internal string Id = "";

        internal WireException(string text, string code = Codes.BadMessage) : base(text)
        {
            Code = code;
        }
    }
}
