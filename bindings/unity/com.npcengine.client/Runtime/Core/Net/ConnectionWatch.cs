namespace NpcEngine.Net
{
    /// <content>How long anything may take, and what the game is told of the connection.</content>
    internal sealed partial class Connection
    {
        private void WatchHandshake(bool came)
        {
            if (_clock.ElapsedMilliseconds - _begun > _options.HandshakeTimeoutMs)
            {
                throw new LinkException(
                    Codes.NoAnswer, "what listens at " + _address + " does not go on with the greeting within " + _options.HandshakeTimeoutMs + " ms");
            }
        }

        private void WatchTalk(bool came)
        {
            long now = _clock.ElapsedMilliseconds;
            _lastBytes = came ? now : _lastBytes;

            if (!_greeted && now - _begun > _options.HandshakeTimeoutMs)
            {
                throw new LinkException(
                    Codes.NoAnswer, "the engine at " + _address + " sent no welcome within " + _options.HandshakeTimeoutMs + " ms");
            }

            long most = _options.SilenceMs;
            if (now - _lastBytes > most || now - _lastMessage > most + most / 2) // the engine's thread may be busier than its socket
            {
                throw new LinkException(
                    Codes.NoAnswer, "the engine at " + _address + " has not answered for " + (now - _lastMessage) / 1000 + " s");
            }
        }

        private void Tell(LinkException fault, bool wasUp)
        {
            bool forEver = fault.Code == Codes.Refused || fault.Code == Codes.BadVersion;
            if (wasUp)
            {
                _lastTrouble = "";
                TellOne(NpcEventKind.Disconnected, Codes.Disconnected, "the engine at " + _address + " is gone: " + fault.Message);
            }

            if (forEver)
            {
                TellOne(NpcEventKind.Refused, fault.Code, fault.Message);
            }
            else if (!wasUp)
            {
                string text = fault.Code == Codes.Disconnected
                    ? "what listens at " + _address + " ended the connection: " + fault.Message
                    : fault.Message;
                if (text != _lastTrouble)
                {
                    _lastTrouble = text;
                    TellOne(NpcEventKind.Trouble, fault.Code == Codes.Disconnected ? Codes.Unreachable : fault.Code, text);
                }
            }
        }

        private void TellOne(NpcEventKind kind, string code, string text)
        {
            NpcEvent told = NewEvent(kind);
            told.Code = code;
            told.Text = text;
            told.Generation = _generation;
            _inbox.Put(told);
        }
    }
}
