using System;

namespace NpcEngine.Crypto
{
    /// <summary>
    /// crypto_box of NaCl (curve25519xsalsa20poly1305, "Cryptography in NaCl", D. J. Bernstein, 2009): encrypted and authenticated. Its
    /// form is that of the paper without the leading zeros: 16 bytes of tag, then the text. One object serves one thread.
    /// </summary>
    internal sealed class Box
    {
        internal const int NonceBytes = 24;
        internal const int TagBytes = Poly1305.TagBytes;

        private static readonly byte[] Zeros = new byte[NonceBytes];

        private readonly Salsa20 _salsa = new Salsa20();
        private readonly Poly1305 _poly = new Poly1305();
        private readonly byte[] _once = new byte[32]; // Poly1305's key: the first bytes of the stream
        private readonly byte[] _tag = new byte[TagBytes];

        /// <summary>The key, u8[32], that the owner of a secret key shares with that of a public one.</summary>
        internal byte[] Shared(byte[] theirPublic, byte[] mySecret)
        {
            byte[] point = Curve25519.Multiply(mySecret, theirPublic);
            var key = new byte[32];
            _salsa.HSalsa(point, Zeros, key);
            Array.Clear(point, 0, point.Length);
            return key;
        }

        /// <summary>Encrypt <paramref name="count"/> bytes at offset + 16 in place, and write their tag at offset.</summary>
        internal void Seal(byte[] data, int offset, int count, byte[] nonce, byte[] key)
        {
            Begin(nonce, key);
            _salsa.Apply(data, offset + TagBytes, count);
            _poly.Tag(_once, data, offset + TagBytes, count, data, offset);
        }

        /// <summary>
        /// Decrypt in place what begins with a tag at offset, <paramref name="count"/> bytes with the tag; the text then stands at
        /// offset + 16. False, and nothing is decrypted, if it was not sealed so.
        /// </summary>
        internal bool Open(byte[] data, int offset, int count, byte[] nonce, byte[] key)
        {
            if (count < TagBytes)
            {
                return false;
            }

            Begin(nonce, key);
            _poly.Tag(_once, data, offset + TagBytes, count - TagBytes, _tag, 0);
            if (!Poly1305.Same(_tag, 0, data, offset))
            {
                return false;
            }

            _salsa.Apply(data, offset + TagBytes, count - TagBytes);
            return true;
        }

        private void Begin(byte[] nonce, byte[] key)
        {
            _salsa.Begin(key, nonce);
            Array.Clear(_once, 0, _once.Length);
            _salsa.Apply(_once, 0, _once.Length);
        }
    }
}
