using System;
using System.IO;

namespace NpcEngine.Tests
{
    /// <summary>Keys and key files, in a folder in which the engine's own tool has made server.pub, anna.key and anna.pub.</summary>
    internal static class KeyChecks
    {
        internal static void Run(string[] arguments)
        {
            // https://rfc.zeromq.org/spec/32
            Program.Equal("HelloWorld", Z85.Encode(CryptoChecks.Bytes("864fd26fb559f75b")), "Z85");
            Program.Equal("864fd26fb559f75b", CryptoChecks.Hex(Z85.Decode("HelloWorld")), "Z85 back");
            Program.Check(Z85.Decode("#####") == null, "Z85 beyond 32 bits", "was decoded");
            Program.Check(Z85.Decode("Hell") == null && Z85.Decode("Hell\"") == null, "no Z85", "was decoded");

            string folder = arguments[0];
            string key = Path.Combine(folder, "anna.key");
            KeyPair pair = KeyPair.Of(key);
            Program.Equal("anna", pair.Name, "name");
            Program.Equal(arguments[1], pair.Public, "public key");
            string text = File.ReadAllText(key);
            Program.Equal(pair.Public, KeyPair.Parse(text, "asset").Public, "text of a key file");
            Program.Equal(pair.Public, KeyPair.Parse(text.Replace("\n", "\r\n").Replace('"', '\''), "asset").Public, "in other quotes");
            string secret = Z85.Encode(pair.SecretBytes);
            Program.Equal(pair.Public, KeyPair.Of(secret).Public, "secret key");
            Program.Check(pair.ToString().IndexOf(secret, StringComparison.Ordinal) < 0, "ToString", "tells the secret");
            string server = Path.Combine(folder, "server.pub");
            Program.Equal(
                CryptoChecks.Hex(KeyPair.PublicKey(server)), CryptoChecks.Hex(KeyPair.PublicKey(File.ReadAllText(server))), "public key's text");

            Fails(() => KeyPair.Of(Path.Combine(folder, "anna.pub")), "anna.pub: holds a public key only");
            Fails(() => KeyPair.Parse(File.ReadAllText(Path.Combine(folder, "anna.pub")), "asset"), "asset: holds a public key only");
            Fails(() => KeyPair.PublicKey(key), "is a private key, which only its owner may have");
            Fails(() => KeyPair.Of(secret.Substring(1)), "what came as key, 39 characters, is neither");
            Fails(() => KeyPair.PublicKey("nowhere.pub"), "'nowhere.pub' is neither a public key");
            Fails(() => KeyPair.Of(new string('#', 40)), "stand for no number of 32 bits");
            Fails(() => KeyPair.Parse("name = 5\n", "asset"), "asset: row 1: key 'name' is no string in quotes");
            Fails(() => KeyPair.Parse("nonsense\n", "asset"), "asset: row 1 is no key = \"value\"");
            Fails(() => KeyPair.Parse(text.Replace("public = \"" + pair.Public, "public = \"" + arguments[2]), "asset"), "do not belong together");
            Fails(() => KeyPair.Parse("secret = \"" + secret + "\"\n", "asset"), "asset: key 'name' is missing");
            Fails(() => new Client(new ClientOptions { Key = key }), "Key came without ServerKey");
            Fails(() => new Client(new ClientOptions { ServerKey = server }), "ServerKey came without Key");
            foreach (string address in new[] { "", "tcp://", "tcp://host", "tcp://host:0", "tcp://host:65536", "tcp://:7890", "tcp://::1:7890",
                "udp://host:1", "ws://host:1", "tcp://host:+1", "tcp://host: 1", null })
            {
                Fails(() => new Client(new ClientOptions { Address = address }), "address is '" + address + "', expected");
            }

            Fails(() => new Client(new ClientOptions { Name = new string('x', 65) }), "name has 65 characters, expected 0 to 64");
            using (new Client(new ClientOptions { Address = "tcp://[::1]:7890", Pair = pair, ServerKey = server }))
            {
                Program.Check(true, "a client that was not connected", "");
            }
        }

        private static void Fails(Action action, string text)
        {
            try
            {
                action();
                Program.Fail(text, "nothing was raised");
            }
            catch (Exception error)
            {
                bool sort = error is KeysException || error is ArgumentException;
                Program.Check(sort && error.Message.Contains(text), text, error.ToString());
            }
        }
    }
}
