using System;
using System.IO;
using System.Text;
using NpcEngine.Crypto;

namespace NpcEngine.Tests
{
    /// <summary>
    /// Against published vectors: RFC 7748, RFC 8439, and "Cryptography in NaCl" (2009), whose keys, nonce and message NaCl's own tests
    /// use; and against boxes that libsodium made, in a file of rows SECRET PUBLIC NONCE TEXT BOX.
    /// </summary>
    internal static class CryptoChecks
    {
        private const string AliceSecret = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
        private const string AlicePublic = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
        private const string BobPublic = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
        private const string Shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
        private const string FirstKey = "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389";
        private const string SecondKey = "dc908dda0b9344a953629b733820778880f3ceb421bb61b91cbd4c3e66256ce4";
        private const string Nonce = "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37";

        private const string Text =
            "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb31"
            + "0e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f93776384864"
            + "5e0705";

        private const string Sealed =
            "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c972"
            + "71d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b3"
            + "7973f622a43d14a6599b1f654cb45a74e355a5";

        internal static void Run(string[] arguments)
        {
            Curve();
            Salsa();
            Poly();
            Boxes();
            if (arguments.Length > 0)
            {
                foreach (string row in File.ReadAllLines(arguments[0]))
                {
                    Row(row);
                }
            }
        }

        internal static byte[] Bytes(string hex)
        {
            var data = new byte[hex.Length / 2];
            for (int i = 0; i < data.Length; i++)
            {
                data[i] = Convert.ToByte(hex.Substring(2 * i, 2), 16);
            }

            return data;
        }

        internal static string Hex(byte[] data)
        {
            return BitConverter.ToString(data).Replace("-", "").ToLowerInvariant();
        }

        private static void Curve()
        {
            // RFC 7748 section 5.2
            Multiplied(
                "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
            Multiplied(
                "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
            byte[] k = Bytes("0900000000000000000000000000000000000000000000000000000000000000");
            byte[] u = k;
            for (int i = 1; i <= 1000; i++)
            {
                byte[] next = Curve25519.Multiply(k, u);
                u = k;
                k = next;
                if (i == 1)
                {
                    Program.Equal("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079", Hex(k), "RFC 7748, once");
                }
            }

            Program.Equal("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51", Hex(k), "RFC 7748, 1000 times");

            // "Cryptography in NaCl" section 2
            Program.Equal(AlicePublic, Hex(Curve25519.Public(Bytes(AliceSecret))), "NaCl: Alice's public key");
            Multiplied(AliceSecret, BobPublic, Shared);
        }

        private static void Multiplied(string secret, string point, string expected)
        {
            Program.Equal(expected, Hex(Curve25519.Multiply(Bytes(secret), Bytes(point))), "X25519 of " + secret);
        }

        private static void Salsa()
        {
            // "Cryptography in NaCl" sections 4 to 6
            var salsa = new Salsa20();
            var key = new byte[32];
            salsa.HSalsa(Bytes(Shared), new byte[24], key);
            Program.Equal(FirstKey, Hex(key), "NaCl: first key");
            salsa.HSalsa(key, Bytes(Nonce), key);
            Program.Equal(SecondKey, Hex(key), "NaCl: second key");
            var whole = new byte[70000];
            salsa.Begin(Bytes(FirstKey), Bytes(Nonce));
            salsa.Apply(whole, 0, whole.Length);
            Program.Equal("eea6a7251c1e72916d11c2cb214d3c25", Hex(whole).Substring(0, 32), "NaCl: stream");
            var parts = new byte[whole.Length];
            salsa.Begin(Bytes(FirstKey), Bytes(Nonce));
            for (int at = 0, n = 1; at < parts.Length; at += n, n = 1 + (n * 7 + 3) % 200)
            {
                n = Math.Min(n, parts.Length - at);
                salsa.Apply(parts, at, n);
            }

            Program.Check(Hex(whole) == Hex(parts), "stream in portions", "differs");
        }

        private static void Poly()
        {
            // RFC 8439 sections 2.5.2 and A.3
            Tagged(
                "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
                Hex(Encoding.ASCII.GetBytes("Cryptographic Forum Research Group")), "a8061dc1305136c6c22b8baf0c0127a9");
            string zero = new string('0', 32);
            string two = "02" + zero.Substring(2);
            string one = "01" + zero.Substring(2);
            string full = new string('f', 32);
            Tagged(zero + zero, zero + zero, zero);
            Tagged(two + zero, full, "03" + zero.Substring(2));
            Tagged(two + full, two, "03" + zero.Substring(2));
            Tagged(one + zero, full + "f0" + full.Substring(2) + "11" + zero.Substring(2), "05" + zero.Substring(2));
            Tagged(one + zero, full + "fbfefefefefefefefefefefefefefefe" + "01010101010101010101010101010101", zero);
            Tagged(two + zero, "fd" + full.Substring(2), "fa" + full.Substring(2));
        }

        private static void Tagged(string key, string data, string expected)
        {
            var tag = new byte[16];
            byte[] bytes = Bytes(data);
            new Poly1305().Tag(Bytes(key), bytes, 0, bytes.Length, tag, 0);
            Program.Equal(expected, Hex(tag), "Poly1305 of " + data);
        }

        private static void Boxes()
        {
            Opened(AliceSecret, BobPublic, Nonce, Text, Sealed);
            var box = new Box();
            byte[] key = box.Shared(Bytes(BobPublic), Bytes(AliceSecret));
            Program.Equal(FirstKey, Hex(key), "NaCl: shared key");
            for (int i = 0; i < Sealed.Length / 2; i++)
            {
                byte[] wrong = Bytes(Sealed);
                wrong[i] ^= 1;
                string before = Hex(wrong);
                Program.Check(!box.Open(wrong, 0, wrong.Length, Bytes(Nonce), key), "forged byte " + i, "was opened");
                Program.Check(before == Hex(wrong), "forged byte " + i, "was decrypted");
            }

            for (int count = 0; count < 16; count++)
            {
                Program.Check(!box.Open(new byte[16], 0, count, Bytes(Nonce), key), "box of " + count + " bytes", "was opened");
            }
        }

        private static void Row(string row)
        {
            string[] parts = row.Split(' ');
            Opened(parts[0], parts[1], parts[2], parts[3] == "-" ? "" : parts[3], parts[4]);
        }

        private static void Opened(string secret, string theirs, string nonce, string text, string sealedText)
        {
            var box = new Box();
            byte[] key = box.Shared(Bytes(theirs), Bytes(secret));
            byte[] data = Bytes("0102" + new string('0', 32) + text); // not at the beginning of its array
            box.Seal(data, 2, text.Length / 2, Bytes(nonce), key);
            Program.Equal("0102" + sealedText, Hex(data), "box of " + text.Length / 2 + " bytes");
            Program.Check(box.Open(data, 2, data.Length - 2, Bytes(nonce), key), "box of " + text.Length / 2 + " bytes", "was not opened");
            Program.Equal(text, Hex(data).Substring(36), "text of a box of " + text.Length / 2 + " bytes");
        }
    }
}
