@tool
## A connection that comes back by itself, on a thread of its own: a game that stands still for seconds keeps it.
##
## Connects, greets, hands over what comes, and connects again with growing waits. In web exports, which may have no
## threads, [method take] does the work.
extends RefCounted

enum Change { UP, DOWN, REFUSED, MESSAGE }

const Messages := preload("messages.gd")
const Rules := preload("rules.gd")
const TcpLink := preload("tcp_link.gd")
const WebSocketLink := preload("websocket_link.gd")

const DEFAULT_PORT := 7890
const AGAIN_MS: Array[int] = [100, 250, 500, 1000, 2000, 5000]  ## Until it is tried again, the last one for ever.
const STEP_USEC := 2_000  ## From poll to poll: far less than a tick of 20 ms.
const LINGER_MS := 200  ## A `cancel` sent just before the end still leaves.
const CONNECT_MS := 5_000  ## Until the handshake is over, and once more until `welcome`.
const SILENCE_MS := 10_000

## Milliseconds for the handshake, and once more for `welcome`.
var connect_ms := CONNECT_MS
## Milliseconds without a word, pongs included, after which an engine is gone.
var silence_ms := SILENCE_MS

var _address: String
var _client: String
var _token: String
var _thread: Thread
var _mutex := Mutex.new()
var _stop := false
var _events: Array[Array] = []  # [Change, what, number of the connection]
var _outbox: Array[Array] = []  # [number of the connection, frames]
var _link: RefCounted
var _number := 0  # of the connection: what was meant for one that broke never leaves on the next
var _begun_ms := 0
var _greeted := false
var _welcomed := false
var _tries := 0
var _again_ms := 0


func _init(address: String, client: String, token := "") -> void:
	_address = address
	_client = client
	_token = token


## Begin.
func start() -> void:
	if OS.has_feature("web"):
		return
	_thread = Thread.new()
	_thread.start(_run)


## End the connection and its thread; waits for at most LINGER_MS.
func stop() -> void:
	_mutex.lock()
	_stop = true
	_mutex.unlock()
	if _thread:
		_thread.wait_to_finish()
		_thread = null
	elif _link:
		_link.close()
		_link = null


## Whether its thread lives.
func is_running() -> bool:
	return _thread != null and _thread.is_alive()


## Up to `most` events since the last call, in their order, each [Change, what, number].
func take(most: int) -> Array[Array]:
	if _thread == null and not _stop:
		_step()
	_mutex.lock()
	var events := _events
	if len(events) <= most:
		_events = []
	else:
		_events = events.slice(most)
		events = events.slice(0, most)
	_mutex.unlock()
	return events


## Send a message on the connection of this number; on no other.
func send(number: int, frames: Array[PackedByteArray]) -> void:
	_mutex.lock()
	_outbox.append([number, frames])
	_mutex.unlock()


func _run() -> void:
	while true:
		_mutex.lock()
		var stop := _stop
		_mutex.unlock()
		if stop:
			break
		_step()
		OS.delay_usec(STEP_USEC)
	if _link:
		var end := Time.get_ticks_msec() + LINGER_MS
		_send_all()
		while _welcomed and not _link.error and not _link.is_sent() and Time.get_ticks_msec() < end:
			_link.poll()
			OS.delay_usec(STEP_USEC)
		_link.close()
		_link = null


func _step() -> void:
	if _link == null:
		if _again_ms < 0 or Time.get_ticks_msec() < _again_ms:
			return
		_open()
	var messages: Array[Dictionary] = _link.poll()
	if _link.ready and not _greeted:
		_greeted = true
		_begun_ms = Time.get_ticks_msec()
		_link.send(Messages.encode({kind = "hello", version = Rules.WIRE_VERSION, client = _client}))
	for message in messages:
		_hear(message)
	if _link == null:
		return
	_send_all()
	var waited := Time.get_ticks_msec() - _begun_ms
	if _link.refusal:
		_end(Change.REFUSED, _link.refusal)
	elif _link.error:
		_end(Change.DOWN, _link.error)
	elif not _welcomed and waited > connect_ms:
		var what := "no welcome" if _greeted else "no handshake"
		_end(Change.DOWN, "%s within %d ms" % [what, connect_ms])


func _open() -> void:
	_number += 1
	_greeted = false
	_welcomed = false
	_begun_ms = Time.get_ticks_msec()
	if _address.begins_with("ws://") or _address.begins_with("wss://"):
		_link = WebSocketLink.new(_address, _token)
		return
	var rest := _address.trim_prefix("tcp://")
	var colon := rest.rfind(":")
	var host := rest.left(colon) if colon >= 0 else rest
	var port := rest.substr(colon + 1).to_int() if colon >= 0 else DEFAULT_PORT
	_link = TcpLink.new(host.trim_prefix("[").trim_suffix("]"), port, silence_ms)


func _hear(message: Dictionary) -> void:
	if _link == null:
		return
	if message.kind == "fault":
		if message.code == "unknown-kind":
			return  # a newer engine may say more than we know
		message = {
			kind = "error",
			code = "bad-message",
			text = "the engine sent: " + message.text,
			line = message.line,
			ends = false,
			id = message.id,
			wait_ms = 0,
		}
	elif message.kind == "welcome":
		if message.version != Rules.WIRE_VERSION:
			var versions := [message.version, Rules.WIRE_VERSION]
			_end(Change.REFUSED, "it speaks version %d of the wire, expected %d: update the add-on" % versions)
			return
		_welcomed = true
		_tries = 0
		_tell(Change.UP, message)
		return
	elif message.kind == "error" and not _welcomed and message.code in ["bad-version", "too-many-connections"]:
		_end(Change.REFUSED, message.text)
		return
	if message.get("picture") is PackedByteArray:
		message.image = image_of(message.picture)
	_tell(Change.MESSAGE, message)


func _tell(change: Change, what: Variant) -> void:
	_mutex.lock()
	_events.append([change, what, _number])
	_mutex.unlock()


func _end(change: Change, reason: String) -> void:
	_link.close()
	_link = null
	_tell(change, "the engine at %s: %s" % [_address, reason])
	var wait := AGAIN_MS[mini(_tries, len(AGAIN_MS) - 1)]
	_tries += 1
	# a shaken wait, so that a village of games does not come back in the same moment
	_again_ms = -1 if change == Change.REFUSED else Time.get_ticks_msec() + int(wait * randf_range(0.75, 1.25))


func _send_all() -> void:
	if not _welcomed:
		return
	_mutex.lock()
	var outbox := _outbox
	_outbox = []
	_mutex.unlock()
	for item in outbox:
		if item[0] == _number:
			_link.send(item[1])


## The picture in a file's bytes: a JPEG, PNG or WebP; null where it is none.
static func image_of(bytes: PackedByteArray) -> Image:
	var image := Image.new()
	var result := ERR_FILE_UNRECOGNIZED
	match bytes.slice(0, 4).hex_encode().left(4):
		"ffd8":
			result = image.load_jpg_from_buffer(bytes)
		"8950":
			result = image.load_png_from_buffer(bytes)
		"5249":
			result = image.load_webp_from_buffer(bytes)
	return image if result == OK else null
