## Ten lines at once with a real engine, some cancelled, the engine restarted in their midst: every tick is accounted for.
##
## godot --headless --path . -s res://checks/session.gd -- PORT LINES
## It prints PHASE lines for whoever restarts the engine, and in the end what came, as JSON.
extends SceneTree

const NpcEngineScript := preload("res://addons/npc_engine/npc_engine.gd")

const TIME_MS := 60_000

var _engine: Node
var _lines := {}  # id → {ticks: of each moment, cancelled, closed}
var _phase := ""
var _wrong: Array[String] = []
var _text := " ".join(range(30).map(func(i: int) -> String: return "word%d" % i))
var _changes: Array[String] = []


func _initialize() -> void:
	_engine = NpcEngineScript.new()
	_engine.address = "tcp://127.0.0.1:%s" % OS.get_cmdline_user_args()[0]
	root.add_child(_engine)
	_engine.connected.connect(func(_welcome: Dictionary) -> void: _changes.append("connected"))
	_engine.disconnected.connect(func(_reason: String) -> void: _changes.append("disconnected"))
	_run()


func _run() -> void:
	if await _until(func() -> bool: return _engine.state == 2, "connected"):
		await _many("first")
		_say_phase("restart")
		var before := _lines.keys()
		for i in 5:
			_begin("mid%d" % i, i % 2 == 0)
		await _until(func() -> bool: return _lines["mid0"].ticks.size() > 0, "the lines begin")
		_say_phase("kill")
		await _until(func() -> bool: return "disconnected" in _changes, "the loss is told")
		for i in 5:
			if _lines["mid%d" % i].closed != "disconnected":
				_wrong.append("mid%d closed as %s" % [i, _lines["mid%d" % i].closed])
		var refused := {}
		_engine.speak(
			{line = "nobody", text = "Hello", npc = "anna"},
			func(message: Dictionary) -> void: refused.code = message.code
		)
		await _until(func() -> bool: return refused.get("code") == "disconnected", "a line to nobody is refused")
		await _until(func() -> bool: return _engine.state == 2, "it connects again")
		await _many("second")
		_say_phase("done")
	_engine.close()
	var told := {wrong = _wrong, changes = _changes, lines = _lines, open = _engine.open_lines()}
	print("RESULT ", JSON.stringify(told))
	_engine.queue_free()
	quit(1 if _wrong else 0)


## Eight lines at once, and two more as soon as two have ended: a connection may have eight. Every third is cancelled.
func _many(name: String) -> void:
	for i in 8:
		_begin("%s%d" % [name, i], i % 2 == 0)
	var cancelled := []
	await _until(func() -> bool:
		for i in 8:
			var line := "%s%d" % [name, i]
			if i % 3 == 0 and line not in cancelled and len(_lines[line].ticks) >= 4:
				cancelled.append(line)
				_engine.playhead(line, 960)
				_engine.cancel(line)
		return len(cancelled) == 3
	, name + ": lines are cancelled")
	for i in [8, 9]:
		await _until(func() -> bool: return len(_engine.open_lines()) < 8, name + ": a line ends")
		_begin("%s%d" % [name, i], true)
	await _until(func() -> bool: return _engine.open_lines().is_empty(), name + ": all end")
	for i in 10:
		_check("%s%d" % [name, i], i in [0, 3, 6])


func _begin(line: String, has_face: bool) -> void:
	_lines[line] = {ticks = [], closed = "", words = 0, heard = ""}
	var outputs := {picture = 64 if has_face else 0}
	var npc := "anna" if has_face else "ben"
	_engine.speak({line = line, text = _text, npc = npc, turn = "beside", outputs = outputs}, _on_message.bind(line))


func _on_message(message: Dictionary, line: String) -> void:
	var entry: Dictionary = _lines[line]
	if entry.closed:
		_wrong.append("%s: %s after its end" % [line, message.kind])
	match message.kind:
		"moment":
			for i in message.ticks:
				entry.ticks.append(message.tick + i)
			for i in message.ticks:
				# the tone mouth's headYaw holds the tick's number
				var yaw: float = message.coefficients[50 * i + 48]
				if absf(yaw - (message.tick + i) % 1000 / 1000.0) > 0.001:
					_wrong.append("%s: tick %d has the face of another" % [line, message.tick + i])
			_engine.credit(line, 20 * message.ticks)
		"words":
			entry.words += len(message.words)
		"end", "cancelled":
			entry.closed = message.kind
			entry.heard = message.get("heard", "")
			if message.ticks != len(entry.ticks):
				_wrong.append("%s: %d ticks sent, %d came" % [line, message.ticks, len(entry.ticks)])
		"error":
			entry.closed = message.code


func _check(line: String, cancelled: bool) -> void:
	var entry: Dictionary = _lines[line]
	if entry.ticks != range(len(entry.ticks)):
		_wrong.append("%s: ticks are %s" % [line, entry.ticks])
	if not cancelled and (entry.closed != "end" or len(entry.ticks) != 150 or entry.words != 30):
		_wrong.append("%s: closed as %s after %d ticks" % [line, entry.closed, len(entry.ticks)])
	elif cancelled and entry.closed not in ["cancelled", "end"]:
		_wrong.append("%s: closed as %s, expected cancelled" % [line, entry.closed])


func _say_phase(phase: String) -> void:
	_phase = phase
	print("PHASE ", phase)


func _until(condition: Callable, what: String) -> bool:
	var end := Time.get_ticks_msec() + TIME_MS
	while not condition.call():
		if Time.get_ticks_msec() > end:
			_wrong.append("in vain: " + what)
			return false
		await process_frame
	return true
