@tool
## One connection to an engine over TCP, polled: tcp://HOST:PORT. Nothing in here waits.
extends RefCounted

const Messages := preload("messages.gd")
const Zmtp := preload("zmtp.gd")

const PING_MS := 2_000
const READ_BYTES := 262_144  ## At most, of one poll.

## Whether messages can be sent.
var ready := false
## Why the connection ended, or never was; "" while it may be.
var error := ""
## Why trying again is no use; "" otherwise.
var refusal := ""

var _host: String
var _port: int
var _silence_ms: int
var _resolving := -1
var _tcp: StreamPeerTCP
var _zmtp := Zmtp.new()
var _heard_ms := 0
var _pinged_ms := 0
var _polled_ms := 0


## `silence_ms`: the other side answers pings within a moment, unless it is gone for so long.
func _init(host: String, port: int, silence_ms: int) -> void:
	_silence_ms = silence_ms
	_host = host
	_port = port
	_heard_ms = Time.get_ticks_msec()
	if host.is_valid_ip_address():
		_connect(host)
	else:
		_resolving = IP.resolve_hostname_queue_item(host)


func _connect(address: String) -> void:
	_tcp = StreamPeerTCP.new()
	if _tcp.connect_to_host(address, _port) != OK:
		error = "can't connect to %s" % address


## Send and receive what can be, and return the messages that have come, decoded.
func poll() -> Array[Dictionary]:
	var messages: Array[Dictionary] = []
	if _resolving >= 0:
		_resolve()
	if error or _tcp == null:
		return messages
	_tcp.poll()
	match _tcp.get_status():
		StreamPeerTCP.STATUS_CONNECTED:
			_read()
			_write()
		StreamPeerTCP.STATUS_CONNECTING:
			return messages
		_:
			error = "the connection broke" if ready else "nobody answers at %s, port %d" % [_host, _port]
	for frames: Array[PackedByteArray] in _zmtp.messages:
		messages.append(Messages.decode(frames))
	_zmtp.messages.clear()
	return messages


func _resolve() -> void:
	match IP.get_resolve_item_status(_resolving):
		IP.RESOLVER_STATUS_WAITING:
			return
		IP.RESOLVER_STATUS_DONE:
			_connect(IP.get_resolve_item_address(_resolving))
		_:
			error = "there is no host '%s'" % _host
	IP.erase_resolve_item(_resolving)
	_resolving = -1


func _read() -> void:
	var now := Time.get_ticks_msec()
	# a program that stood still has heard nothing and is not the engine's fault
	if now - _polled_ms > PING_MS:
		_heard_ms = now
	_polled_ms = now
	var count := mini(_tcp.get_available_bytes(), READ_BYTES)
	if count > 0:
		var got := _tcp.get_partial_data(count)
		if got[0] != OK:
			error = "the connection broke"
			return
		_heard_ms = now
		_zmtp.feed(got[1])
		error = _zmtp.error
		refusal = _zmtp.refusal
		ready = _zmtp.ready and not error
	if ready and now - _pinged_ms >= PING_MS:
		_pinged_ms = now
		_zmtp.ping()
	if ready and now - _heard_ms > _silence_ms:
		error = "it has been silent for %d ms" % _silence_ms


func _write() -> void:
	if _zmtp.out.is_empty():
		return
	_tcp.set_no_delay(true)
	var sent := _tcp.put_partial_data(_zmtp.out)
	if sent[0] != OK:
		error = error if error else "the connection broke"
	elif sent[1]:
		_zmtp.out = _zmtp.out.slice(sent[1])


## Queue a message.
func send(frames: Array[PackedByteArray]) -> void:
	_zmtp.send(frames)


## Whether all that was queued has left.
func is_sent() -> bool:
	return _zmtp.out.is_empty()


## End it.
func close() -> void:
	if _resolving >= 0:
		IP.erase_resolve_item(_resolving)
		_resolving = -1
	if _tcp:
		_tcp.disconnect_from_host()
