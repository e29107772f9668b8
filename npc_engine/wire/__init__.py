"""Messages, codec and the session as a table of states; no sockets."""
