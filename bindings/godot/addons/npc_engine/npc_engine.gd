@tool
@icon("icons/npc_engine.svg")
class_name NpcEngine
extends Node
## The connection of a game to an engine: one of it in a scene, or as an autoload.
##
## It connects, and connects again, by itself, on a thread of its own; a game that stands still for seconds keeps its
## lines. Characters speak through [NpcVoice]; this node is what they share, and what a game asks for lists and figures.
## Nothing here raises errors: what goes wrong comes as a signal.
## [br][br]Keys (CURVE) are not spoken. The engine is on this machine, or behind a tunnel; see the README.

## The engine has answered; its welcome, as bindings/PROTOCOL.md has it.
signal connected(welcome: Dictionary)
## It is gone, or can't be reached: why. Open lines have ended with an error of code "disconnected"; it is tried again.
signal disconnected(reason: String)
## The engine will not speak with this game, so that it isn't tried again: why.
signal refused(reason: String)
## Each message of the engine, those of lines too; errors that this node makes up have the same form.
signal received(message: Dictionary)
## Who can speak: the answer to [method ask_npcs].
signal listed(npcs: Array, voices: Array, faces: Array)

enum State { CLOSED, CONNECTING, CONNECTED, REFUSED }

const Checks := preload("wire/checks.gd")
const Connection := preload("wire/connection.gd")
const Messages := preload("wire/messages.gd")

const GROUP := &"npc_engine"  ## Nodes without an engine of their own look for one in here.
const LOST := "disconnected"  ## Code of the error that each open line ends with when the connection breaks.
const NO_ANSWER := "no-answer"  ## Code of the error of a line that the engine says nothing about.
const READ_AT_MOST := 256  ## Messages of one frame, so that a flood can't stop the game.

## tcp://HOST:PORT of an engine, or ws://HOST:PORT/ of its gateway, which web exports need.
@export var address := "tcp://127.0.0.1:7890"
## The game's name, for the engine's log.
@export var client_name := "godot"
## Connect as soon as the scene runs.
@export var autoconnect := true
## What a gateway asks for that is not on this machine (docs/websocket.md).
@export var token := ""
## Seconds until a handshake or a welcome that does not come is given up.
@export_range(0.1, 60.0) var connect_seconds := 5.0
## Seconds until a line that is not accepted ends with the error "no-answer": its voice may have to be loaded.
@export_range(0.1, 120.0) var answer_seconds := 30.0
## Seconds of silence after which an engine counts as gone; its own threads answer every two seconds.
@export_range(1.0, 60.0) var silence_seconds := 10.0

## How the connection stands.
var state := State.CLOSED
## Why it is not connected; "" if it is.
var trouble := ""
## The engine's welcome; {} while none is connected.
var welcome := {}

var _connection: Connection
var _number := 0  # of the connection that is up
var _lines := {}  # id → {handler, asked: ms until accepted, else 0}
var _made_up: Array[Array] = []  # [message, handler] to be told in the next frame
var _next := 1
var _prefix := ""


func _enter_tree() -> void:
	add_to_group(GROUP)


func _ready() -> void:
	process_priority = -100  # what has come is there when the characters look for it
	process_mode = Node.PROCESS_MODE_ALWAYS
	if autoconnect and not Engine.is_editor_hint():
		open()


func _exit_tree() -> void:
	close()


func _notification(what: int) -> void:
	if what == NOTIFICATION_PREDELETE:
		close()


## Connect, and stay so. Nothing happens while it does already.
func open() -> void:
	if _connection:
		return
	_prefix = "%x" % (randi() & 0xffffff)
	state = State.CONNECTING
	_connection = Connection.new(address, client_name, token)
	_connection.connect_ms = int(connect_seconds * 1000)
	_connection.silence_ms = int(silence_seconds * 1000)
	_connection.start()


## Leave; the engine stops its lines, which end here with the error "disconnected". May be called twice.
func close() -> void:
	if _connection == null:
		return
	_connection.stop()
	_connection = null
	_lose("the game has closed the connection")
	state = State.CLOSED


## Whether the engine answers a kind, or knows what its capabilities name.
func can(capability: String) -> bool:
	return capability in welcome.get("capabilities", [])


## Ids of the lines that have not ended.
func open_lines() -> Array:
	return _lines.keys()


func _process(_delta: float) -> void:
	for made: Array in _made_up:
		_give(made[0], made[1])
	_made_up.clear()
	if _connection == null:
		return
	for event in _connection.take(READ_AT_MOST):
		match event[0]:
			Connection.Change.UP:
				_number = event[2]
				welcome = event[1]
				state = State.CONNECTED
				trouble = ""
				received.emit(welcome)
				connected.emit(welcome)
			Connection.Change.MESSAGE:
				if event[2] == _number:
					_hear(event[1])
			_:
				_end(event[0], event[1])
		if _connection == null:
			return  # a handler has closed it
	_give_up_silent()


func _end(change: int, reason: String) -> void:
	var is_news := state == State.CONNECTED or reason != trouble
	_lose(reason)
	if change == Connection.Change.REFUSED:
		state = State.REFUSED
		refused.emit(reason)
	else:
		state = State.CONNECTING
		if is_news:
			disconnected.emit(reason)


func _lose(reason: String) -> void:
	welcome = {}
	trouble = reason
	var lines := _lines
	_lines = {}
	for line: String in lines:
		_give(_error(LOST, reason, line), lines[line].handler)


func _hear(message: Dictionary) -> void:
	var line: String = message.get("line", "")
	var entry: Dictionary = _lines.get(line, {})
	match message.kind:
		"end", "cancelled":
			_lines.erase(line)
		"error":
			if message.ends:
				_lines.erase(line)
		"accepted":
			if entry:
				entry.asked = 0
		"npcs":
			listed.emit(message.npcs, message.voices, message.faces)
	if line and not entry and message.kind != "error":
		return  # of a line that a broken connection has ended
	_give(message, entry.get("handler", Callable()))


func _give(message: Dictionary, handler: Callable) -> void:
	received.emit(message)
	if handler.is_valid():
		handler.call(message)


func _give_up_silent() -> void:
	var now := Time.get_ticks_msec()
	for line: String in _lines.keys():
		var entry: Dictionary = _lines.get(line, {})
		if entry and entry.asked and now - entry.asked > answer_seconds * 1000.0:
			cancel(line)
			_lines.erase(line)
			var text := "the engine has not accepted the line within %s s" % answer_seconds
			_give(_error(NO_ANSWER, text, line), entry.handler)


static func _error(code: String, text: String, line: String, id := "") -> Dictionary:
	return {kind = "error", code = code, text = text, line = line, ends = true, id = id, wait_ms = 0}


## An id for a line, of no other line of this game.
func new_id() -> String:
	_next += 1
	return "%s-%d" % [_prefix, _next]


## Ask for a line: keys of PROTOCOL.md's [code]speak[/code], such as {npc = "elder", text = "Mind the step!"}.
##
## Returns its id at once. [code]handler[/code] is called with each of its messages; what is wrong with the keys, or
## that no engine is there, comes as its error in the next frame.
func speak(keys: Dictionary, handler := Callable()) -> String:
	var message := {kind = "speak", text = ""}
	message.merge(keys, true)
	if not message.get("line"):
		message.line = new_id()
	var line: String = str(message.line)
	if _send_checked(message, line, "", handler):
		_lines[line] = {handler = handler, asked = Time.get_ticks_msec()}
	return line


## More text of a line that was begun with [code]open = true[/code]; lines that are not open are let be.
func append(line: String, text: String) -> void:
	if text and line in _lines:
		_send_checked({kind = "append", line = line, text = text}, "")


## The text or the live sound of a line is complete. Lines that are not open are let be.
func commit(line: String) -> void:
	if line in _lines:
		_send({kind = "commit", line = line})


## More live sound of a line that was begun with [code]live = true[/code]: PCM16, at its [code]sound_rate[/code].
func send_sound(line: String, pcm: PackedByteArray) -> void:
	if pcm and line in _lines:
		_send({kind = "sound", line = line, sound = pcm})


## Let the engine send so much more of a line. [NpcVoice] does it by what was heard.
func credit(line: String, ms: int) -> void:
	if ms > 0 and line in _lines:
		_send({kind = "credit", line = line, ms = mini(ms, 10_000)})


## Tell which sample of a line is heard now, so that a [code]cancelled[/code] tells the text heard.
func playhead(line: String, sample: int) -> void:
	if line in _lines and can("playhead"):
		_send({kind = "playhead", line = line, sample = maxi(0, sample)})


## Stop a line; its [code]cancelled[/code] follows, or an [code]end[/code] that crossed it.
func cancel(line: String) -> void:
	if line in _lines:
		_send({kind = "cancel", line = line})


## Stop all lines of a character, those that wait too.
func cancel_npc(npc: String) -> void:
	if npc:
		_send({kind = "cancel", npc = npc})


## Stop all lines of this game.
func cancel_all() -> void:
	_send({kind = "cancel", all = true})


## Have a character loaded and, with a text, its speech made: keys of PROTOCOL.md's [code]warm[/code]. The id of the
## [code]warmed[/code], or error, that [signal received] tells.
func warm(keys: Dictionary) -> String:
	var message := {kind = "warm", id = new_id()}
	message.merge(keys, true)
	_send_checked(message, "", str(message.id))
	return message.id


## Ask who can speak: [signal listed] tells.
func ask_npcs() -> void:
	_send({kind = "list"})


## Ask how this game is served: [signal received] tells a message of kind "stats".
func ask_stats() -> void:
	_send({kind = "report"})


## Ask for a [code]pong[/code] with this mark.
func ping(mark := 0) -> void:
	_send({kind = "ping", mark = mark})


## Sends what an engine could take; whether it did. What is wrong comes as an error in the next frame.
func _send_checked(message: Dictionary, line: String, id := "", handler := Callable()) -> bool:
	var no := Checks.refusal(message, _lines)
	if not no and line in _lines:
		no = {code = "duplicate-line", text = "line '%s' is open" % line}
	if not no and state != State.CONNECTED:
		no = {code = LOST, text = "no engine at %s%s" % [address, ": " + trouble if trouble else ""]}
	if not no:
		_send(message)
		return true
	var error := _error(no.code, no.text, line, id)
	error.ends = line != "" or id != ""
	_made_up.append([error, handler])
	return false


func _send(message: Dictionary) -> void:
	if _connection and state == State.CONNECTED:
		_connection.send(_number, Messages.encode(message))
