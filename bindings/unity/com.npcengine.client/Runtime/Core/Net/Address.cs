using System;
using System.Globalization;

namespace NpcEngine.Net
{
    /// <summary>Where an engine is.</summary>
    internal sealed class Address
    {
        internal readonly string Host;
        internal readonly int Port;
        private readonly string _text;

        private Address(string text, string host, int port)
        {
            _text = text;
            Host = host;
            Port = port;
        }

        public override string ToString()
        {
            return _text;
        }

        /// <summary>Of tcp://HOST:PORT; raises <see cref="ArgumentException"/> for what is none.</summary>
        internal static Address Parse(string text)
        {
            const string Scheme = "tcp://";
            int colon = text == null ? -1 : text.LastIndexOf(':');
            int port;
            if (text == null || !text.StartsWith(Scheme, StringComparison.Ordinal) || colon <= Scheme.Length
                || !int.TryParse(text.Substring(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port)
                || port < 1 || port > 65535)
            {
                throw new ArgumentException(
                    "address is '" + text + "', expected one like " + ClientOptions.DefaultAddress
                    + (text != null && text.StartsWith("ws", StringComparison.Ordinal) ? "; WebSockets are not spoken here" : ""));
            }

            string host = text.Substring(Scheme.Length, colon - Scheme.Length);
            bool bracketed = host.StartsWith("[", StringComparison.Ordinal) && host.EndsWith("]", StringComparison.Ordinal);
            if (!bracketed && host.IndexOf(':') >= 0)
            {
                throw new ArgumentException("address is '" + text + "', expected an IPv6 address in brackets, like tcp://[::1]:7890");
            }

            return new Address(text, bracketed ? host.Substring(1, host.Length - 2) : host, port);
        }
    }
}
