@tool
## ZMTP 3.0 as a DEALER with the mechanism NULL, without I/O: bytes in, messages and bytes out.
##
## https://rfc.zeromq.org/spec/23/. CURVE is not spoken: see [member refusal] for what is told then.
extends RefCounted

const GREETING_BYTES := 64
const VERSION_BYTES := 12  # of it: the signature and the version
const FRAME_BYTES := 33_554_432  # a payload of an engine has no more
const FRAMES := 64  # of one message: more than the protocol has, which is for messages.gd to say
const MORE := 1
const LONG := 2
const COMMAND := 4
const PING_TTL_DS := 100  # tenths of a second: the other side may give up after 10 s of silence

## Whether both sides have shaken hands.
var ready := false
## Why the other side can't be spoken with; "" while it can.
var error := ""
## Why it will never speak with this client, so that trying again is no use; "" otherwise.
var refusal := ""
## What is to be sent.
var out := PackedByteArray()
## Messages that have come whole, each a list of frames; whoever takes them empties this.
var messages: Array[Array] = []

var _buffer := PackedByteArray()
var _at := 0
var _greeted := false
var _frames: Array[PackedByteArray] = []


func _init() -> void:
	# libzmq closes without a word when it has read a mechanism that it does not speak: so its own is read first
	out = greeting().slice(0, VERSION_BYTES)


## What each side says first: signature, version 3.0, the mechanism in 20 bytes, and that it is no server.
static func greeting(mechanism := "NULL") -> PackedByteArray:
	var bytes := PackedByteArray()
	bytes.resize(GREETING_BYTES)
	bytes.fill(0)
	bytes[0] = 0xff
	bytes[9] = 0x7f
	bytes[10] = 3
	var name := mechanism.to_ascii_buffer()
	for i in name.size():
		bytes[12 + i] = name[i]
	return bytes


## Take what has come.
func feed(bytes: PackedByteArray) -> void:
	_buffer.append_array(bytes)
	if not _greeted:
		_greet()
	while _greeted and not error and _next():
		pass
	if _at:
		_buffer = _buffer.slice(_at)
		_at = 0


## Queue a message.
func send(frames: Array[PackedByteArray]) -> void:
	for i in len(frames):
		_frame(frames[i], 0 if i == len(frames) - 1 else MORE)


## Queue the question whether the other side is still there; it answers without its program's help.
func ping() -> void:
	_frame(_command("PING", PackedByteArray([0, PING_TTL_DS])), COMMAND)


func _greet() -> void:
	for i in mini(_buffer.size(), 10):
		if (i == 0 and _buffer[0] != 0xff) or (i == 9 and _buffer[9] & 1 == 0):
			error = "it speaks no ZMTP (its first bytes are %s)" % _buffer.slice(0, 10).hex_encode()
			return
	if _buffer.size() >= 11 and _buffer[10] < 3:
		error = "it speaks ZMTP %d, expected 3" % _buffer[10]
	if _buffer.size() < GREETING_BYTES or error:
		return
	var mechanism := _buffer.slice(12, 32).get_string_from_ascii()
	if mechanism != "NULL":
		refusal = (
			(
				"it asks for %s, and this add-on speaks without keys only: run the engine or its gateway on this machine,"
				% mechanism
			)
			+ " or reach it through a tunnel (ssh -L 7890:127.0.0.1:7890 HOST, or WireGuard)"
		)
		error = refusal
		return
	_at = GREETING_BYTES
	_greeted = true
	out.append_array(greeting().slice(VERSION_BYTES))
	var type := "Socket-Type".to_ascii_buffer()
	var properties := PackedByteArray([type.size()]) + type + PackedByteArray([0, 0, 0, 6]) + "DEALER".to_ascii_buffer()
	_frame(_command("READY", properties), COMMAND)


## Takes one frame; false where it has not come whole.
func _next() -> bool:
	var left := _buffer.size() - _at
	if left < 2:
		return false
	var flags := _buffer[_at]
	var size := _buffer[_at + 1]
	var head := 2
	if flags & LONG:
		head = 9
		if left < head:
			return false
		size = 0
		for i in 8:
			size = (size << 8) | _buffer[_at + 1 + i]
	if size < 0 or size > FRAME_BYTES or flags > 7:
		error = "a frame of %d bytes with flags %d, expected at most %d" % [size, flags, FRAME_BYTES]
		return false
	if left < head + size:
		return false
	_at += head + size
	var body := _buffer.slice(_at - size, _at)
	if flags & COMMAND:
		_obey(body)
	elif not ready:
		error = "a message came before the handshake was over"
	else:
		_frames.append(body)
		if len(_frames) > FRAMES:
			error = "a message of more than %d frames" % FRAMES
		elif not flags & MORE:
			messages.append(_frames)
			_frames = []
	return not error


func _obey(body: PackedByteArray) -> void:
	if body.is_empty() or body[0] > body.size() - 1:
		error = "a command without a name"
		return
	var data := body.slice(1 + body[0])
	match body.slice(1, 1 + body[0]).get_string_from_ascii():
		"READY":
			ready = true
		"PING":
			_frame(_command("PONG", data.slice(2)), COMMAND)  # its context, after the time to live
		"ERROR":
			refusal = "it does not let this client in: %s" % data.slice(1).get_string_from_ascii()
			error = refusal


func _command(name: String, data: PackedByteArray) -> PackedByteArray:
	return PackedByteArray([name.length()]) + name.to_ascii_buffer() + data


func _frame(body: PackedByteArray, flags: int) -> void:
	if body.size() < 256:
		out.append(flags)
		out.append(body.size())
	else:
		out.append(flags | LONG)
		for i in 8:
			out.append((body.size() >> (56 - 8 * i)) & 255)
	out.append_array(body)
