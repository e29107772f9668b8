using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace NpcEngine.Tests
{
    /// <summary>JSON as objects: Dictionary, List, string, double, bool, null. For the golden files, which are well formed.</summary>
    internal sealed class Json
    {
        private readonly string _text;
        private int _at;

        private Json(string text)
        {
            _text = text;
        }

        internal static Dictionary<string, object> Parse(string text)
        {
            return (Dictionary<string, object>)new Json(text).Value();
        }

        private char Next()
        {
            while (char.IsWhiteSpace(_text[_at]))
            {
                _at++;
            }

            return _text[_at];
        }

        private object Value()
        {
            switch (Next())
            {
                case '{':
                    return Map();
                case '[':
                    return List();
                case '"':
                    return String();
                case 't':
                    _at += 4;
                    return true;
                case 'f':
                    _at += 5;
                    return false;
                case 'n':
                    _at += 4;
                    return null;
                default:
                    return Number();
            }
        }

        private Dictionary<string, object> Map()
        {
            var map = new Dictionary<string, object>();
            for (_at++; Next() != '}';)
            {
                string key = String();
                Next();
                _at++; // :
                map.Add(key, Value());
                if (Next() == ',')
                {
                    _at++;
                    Next();
                }
            }

            _at++;
            return map;
        }

        private List<object> List()
        {
            var list = new List<object>();
            for (_at++; Next() != ']';)
            {
                list.Add(Value());
                if (Next() == ',')
                {
                    _at++;
                }
            }

            _at++;
            return list;
        }

        private string String()
        {
            var text = new StringBuilder();
            for (_at++; _text[_at] != '"'; _at++)
            {
                if (_text[_at] != '\\')
                {
                    text.Append(_text[_at]);
                    continue;
                }

                _at++;
                int plain = "bfnrt".IndexOf(_text[_at]);
                if (_text[_at] == 'u')
                {
                    text.Append((char)int.Parse(_text.Substring(_at + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                    _at += 4;
                }
                else
                {
                    text.Append(plain < 0 ? _text[_at] : "\b\f\n\r\t"[plain]);
                }
            }

            _at++;
            return text.ToString();
        }

        private double Number()
        {
            int from = _at;
            while (_at < _text.Length && "+-.eE0123456789".IndexOf(_text[_at]) >= 0)
            {
                _at++;
            }

            if (from == _at)
            {
                throw new FormatException("no JSON at " + _at);
            }

            return double.Parse(_text.Substring(from, _at - from), CultureInfo.InvariantCulture);
        }
    }
}
