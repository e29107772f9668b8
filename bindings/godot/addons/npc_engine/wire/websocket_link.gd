@tool
## One connection to an engine's gateway over a WebSocket, polled: ws://HOST:PORT/ or wss://…, also in web exports.
extends RefCounted

const Messages := preload("messages.gd")

const PROTOCOL := "npc-engine"
const TOKEN_PREFIX := "npc-engine.token."  # a browser can give a WebSocket no other header
const BUFFER_BYTES := 4_194_304  # what comes while a game stands still: credit bounds it to less
const QUEUED := 4096  # messages of it

## As in tcp_link.gd.
var ready := false
var error := ""
var refusal := ""

var _socket := WebSocketPeer.new()


func _init(url: String, token: String) -> void:
	var protocols := PackedStringArray([PROTOCOL])
	if token:
		protocols.append(TOKEN_PREFIX + token)
	_socket.supported_protocols = protocols
	_socket.inbound_buffer_size = BUFFER_BYTES
	_socket.max_queued_packets = QUEUED
	if _socket.connect_to_url(url) != OK:
		error = "'%s' is no address of a WebSocket" % url


## As in tcp_link.gd.
func poll() -> Array[Dictionary]:
	var messages: Array[Dictionary] = []
	if error:
		return messages
	_socket.poll()
	var state := _socket.get_ready_state()
	while _socket.get_available_packet_count():
		var bytes := _socket.get_packet()
		if not _socket.was_string_packet():
			messages.append(Messages.decode_joined(bytes))
	if state == WebSocketPeer.STATE_CLOSED:
		var code := _socket.get_close_code()
		var reason := _socket.get_close_reason()
		error = reason if reason else "nobody answers, or lets this game in (code %d)" % code
		ready = false
	elif state == WebSocketPeer.STATE_OPEN:
		ready = true
	return messages


## Send a message.
func send(frames: Array[PackedByteArray]) -> void:
	var joined := PackedByteArray()
	for frame in frames:
		joined.append_array(frame)
	if _socket.send(joined) != OK:
		error = "a message of %d bytes could not leave" % joined.size()


## As in tcp_link.gd.
func is_sent() -> bool:
	return _socket.get_current_outbound_buffered_amount() == 0


## End it.
func close() -> void:
	_socket.close()
