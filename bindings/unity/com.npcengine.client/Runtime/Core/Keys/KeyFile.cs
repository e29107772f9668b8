namespace NpcEngine
{
    /// <summary>
    /// What stands in a .key or .pub file: of TOML the part that <c>npc-engine keys new</c> writes, which is comments and rows of
    /// <c>key = "string"</c>, with the strings of TOML in either quotes.
    /// </summary>
    internal sealed class KeyFile
    {
        internal string Name;
        internal string Public;
        internal string Secret;

        internal static KeyFile Parse(string text, string where)
        {
            var file = new KeyFile();
            string[] rows = text.Split('\n');
            for (int i = 0; i < rows.Length; i++)
            {
                string row = rows[i].Trim().TrimStart('\uFEFF');
                if (row.Length > 0 && row[0] != '#')
                {
                    file.Take(row, where + ": row " + (i + 1));
                }
            }

            return file;
        }

        private void Take(string row, string where)
        {
            int sign = row.IndexOf('=');
            if (sign < 1)
            {
                throw new KeysException(where + " is no key = \"value\"");
            }

            string key = row.Substring(0, sign).Trim().Trim('"', '\'');
            string value = String(row.Substring(sign + 1).Trim());
            if (value == null && (key == "name" || key == "public" || key == "secret"))
            {
                throw new KeysException(where + ": key '" + key + "' is no string in quotes");
            }

            switch (key)
            {
                case "name":
                    Name = value;
                    break;
                case "public":
                    Public = value;
                    break;
                case "secret":
                    Secret = value;
                    break;
            }
        }

        /// <summary>The string that a value begins with, if nothing but a comment follows; null for what is none.</summary>
        private static string String(string value)
        {
            if (value.Length < 2 || (value[0] != '"' && value[0] != '\''))
            {
                return null;
            }

            int end = value.IndexOf(value[0], 1);
            if (end < 0 || value.IndexOf('\\', 0, end) >= 0) // no name or key has an escape
            {
                return null;
            }

            string rest = value.Substring(end + 1).Trim();
            return rest.Length == 0 || rest[0] == '#' ? value.Substring(1, end - 1) : null;
        }
    }
}
