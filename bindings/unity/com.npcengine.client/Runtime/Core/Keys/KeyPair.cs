using System;
using System.IO;
using System.Text;
using NpcEngine.Crypto;

namespace NpcEngine
{
    /// <summary>A key, or a key file, that can't be used: says which, and what was expected. Never prints a secret.</summary>
    public sealed class KeysException : Exception
    {
        /// <summary>With what came, what was expected, where.</summary>
        public KeysException(string message) : base(message)
        {
        }
    }

    /// <summary>
    /// A CURVE key pair, and the files that <c>npc-engine keys new</c> makes: NAME.key (private) and NAME.pub, TOML with the strings
    /// name, public and secret. Keys are 40 characters of Z85.
    /// </summary>
    public sealed class KeyPair
    {
        private const int FileBytes = 4096; // what is longer is no key file

        private readonly byte[] _secret;

        private KeyPair(string name, byte[] secret)
        {
            Name = name;
            _secret = secret;
            PublicBytes = Curve25519.Public(secret);
            Public = Z85.Encode(PublicBytes);
        }

        /// <summary>The client's name, "" if it is not known.</summary>
        public string Name { get; private set; }

        /// <summary>The public key, 40 characters.</summary>
        public string Public { get; private set; }

        internal byte[] PublicBytes { get; private set; }

        internal byte[] SecretBytes { get { return _secret; } }

        /// <summary>The name alone: no log shall show the secret.</summary>
        public override string ToString()
        {
            return "KeyPair " + Name;
        }

        /// <summary>A pair, given as the path of a .key file, or as its secret key.</summary>
        /// <exception cref="KeysException">What was given is neither.</exception>
        public static KeyPair Of(string given)
        {
            if (Z85.IsKey(given) && !File.Exists(given))
            {
                return new KeyPair("", Decode(given, "the secret key"));
            }

            if (!File.Exists(given))
            {
                // not printed where it may be a secret that lost a character
                string shown = given.EndsWith(".key", StringComparison.Ordinal)
                    ? "'" + given + "'"
                    : "what came as key, " + given.Length + " characters,";
                throw new KeysException(shown + " is neither the .key file of a client nor its secret key, which has 40 characters");
            }

            return Parse(Text(given), given);
        }

        /// <summary>A pair from the text of a .key file; <paramref name="where"/> names it in errors.</summary>
        /// <exception cref="KeysException">The text is no private key file.</exception>
        public static KeyPair Parse(string text, string where)
        {
            KeyFile file = KeyFile.Parse(text, where);
            if (file.Secret == null)
            {
                throw new KeysException(where + ": holds a public key only, expected a private one, as in NAME.key");
            }

            var pair = new KeyPair(file.Name ?? "", Decode(file.Secret, where + ": secret"));
            if (file.Name == null || file.Public == null)
            {
                throw new KeysException(where + ": key '" + (file.Name == null ? "name" : "public") + "' is missing, or no string");
            }

            if (pair.Public != file.Public)
            {
                throw new KeysException(where + ": public and secret do not belong together; make new keys with npc-engine keys new");
            }

            return pair;
        }

        /// <summary>A public key, given as such, as the path of a .pub file, or as the text of one.</summary>
        /// <exception cref="KeysException">What was given is none of these.</exception>
        public static byte[] PublicKey(string given)
        {
            if (Z85.IsKey(given) && !File.Exists(given))
            {
                return Decode(given, "the public key");
            }

            bool isText = given.IndexOf('\n') >= 0;
            if (!isText && !File.Exists(given))
            {
                throw new KeysException("'" + given + "' is neither a public key, which has 40 characters, nor the .pub file of one");
            }

            string where = isText ? "the public key file" : given;
            KeyFile file = KeyFile.Parse(isText ? given : Text(given), where);
            if (file.Secret != null)
            {
                throw new KeysException(where + ": is a private key, which only its owner may have, expected the file NAME.pub");
            }

            if (file.Public == null)
            {
                throw new KeysException(where + ": key 'public' is missing, or no string");
            }

            return Decode(file.Public, where + ": public");
        }

        private static byte[] Decode(string key, string where)
        {
            if (!Z85.IsKey(key))
            {
                throw new KeysException(
                    where + " has " + key.Length + " characters, expected a key: 40 characters of Z85, nothing else");
            }

            byte[] bytes = Z85.Decode(key);
            if (bytes == null)
            {
                throw new KeysException(where + " is no key: its characters stand for no number of 32 bits");
            }

            return bytes;
        }

        private static string Text(string path)
        {
            try
            {
                using (FileStream file = File.OpenRead(path))
                {
                    if (file.Length > FileBytes)
                    {
                        throw new KeysException(
                            path + ": more than " + FileBytes + " bytes, expected a file that npc-engine keys new has made");
                    }

                    using (var reader = new StreamReader(file, new UTF8Encoding(false, true)))
                    {
                        return reader.ReadToEnd();
                    }
                }
            }
            catch (Exception error)
            {
                if (error is KeysException)
                {
                    throw;
                }

                throw new KeysException(path + ": can't be read: " + error.Message);
            }
        }
    }
}
