## Ten lines at once with a real engine, some cancelled, the engine restarted in their midst: no tick is lost.
##
## On two connections, since one may have eight open lines.
##
## godot --headless --path . -s res://checks/session.gd -- ADDRESS [stays]
## It prints PHASE lines for whoever restarts the engine, and in the end what came, as JSON. "stays": no restart.
extends SceneTree

const NpcEngineScript := preload("res://addons/npc_engine/npc_engine.gd")

const TIME_MS := 60_000

var _engines: Array[Node] = []
var _lines := {}  # id → {ticks: of each moment, cancelled, closed}
var _phase := ""
var _wrong: Array[String] = []
var _text := " ".join(range(30).map(func(i: int) -> String: return "word%d" % i))
var _changes: Array[String] = []


func _initialize() -> void:
	for _i in 2:
		var engine := NpcEngineScript.new()
		engine.address = OS.get_cmdline_user_args()[0]
		root.add_child(engine)
		engine.connected.connect(func(_welcome: Dictionary) -> void: _changes.append("connected"))
		engine.disconnected.connect(func(_reason: String) -> void: _changes.append("disconnected"))
		_engines.append(engine)
	_run()


func _run() -> void:
	if await _until(_all_connected, "connected"):
		await _many("first")
		if "stays" not in OS.get_cmdline_user_args():
			await _restart()
	for engine in _engines:
		engine.close()
	print("RESULT ", JSON.stringify({wrong = _wrong, changes = _changes, lines = _lines, open = _open_lines()}))
	for engine in _engines:
		engine.queue_free()
	quit(1 if _wrong else 0)


func _restart() -> void:
	for i in 5:
		_begin("mid%d" % i, i % 2 == 0)
	await _until(func() -> bool: return _lines["mid0"].ticks.size() > 0, "the lines begin")
	_say_phase("kill")
	await _until(func() -> bool: return _changes.count("disconnected") >= 2, "the loss is told")
	for i in 5:
		if _lines["mid%d" % i].closed != "disconnected":
			_wrong.append("mid%d closed as %s" % [i, _lines["mid%d" % i].closed])
	var refused := {}
	_engines[0].speak(
		{line = "nobody", text = "Hello", npc = "anna"}, func(message: Dictionary) -> void: refused.code = message.code
	)
	await _until(func() -> bool: return refused.get("code") == "disconnected", "a line to nobody is refused")
	await _until(_all_connected, "they connect again")
	await _many("second")
	_say_phase("done")


func _all_connected() -> bool:
	return _engines.all(func(engine: Node) -> bool: return engine.state == NpcEngineScript.State.CONNECTED)


func _open_lines() -> Array:
	return _engines[0].open_lines() + _engines[1].open_lines()


## Ten lines; every third is cancelled after 4 ticks.
func _many(name: String) -> void:
	for i in 10:
		_begin("%s%d" % [name, i], i % 2 == 0)
	if len(_open_lines()) != 10:
		_wrong.append("%s: %d lines are open, expected 10" % [name, len(_open_lines())])
	await _until(func() -> bool: return _open_lines().is_empty(), name + ": all end")
	for i in 10:
		_check(name + str(i), i % 3 == 0)


func _begin(line: String, has_face: bool) -> void:
	_lines[line] = {ticks = [], closed = "", words = 0, heard = "", engine = len(_lines) % 2}
	var outputs := {picture = 64 if has_face else 0}
	var npc := "anna" if has_face else "ben"
	var engine := _engines[_lines[line].engine]
	engine.speak({line = line, text = _text, npc = npc, turn = "beside", outputs = outputs}, _on_message.bind(line))


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
			if line.begins_with("mid"):
				return  # without credit it waits to be cut off
			if len(entry.ticks) >= 4 and line.right(1).to_int() % 3 == 0:
				_engines[entry.engine].playhead(line, 960)
				_engines[entry.engine].cancel(line)
			else:
				_engines[entry.engine].credit(line, 20 * message.ticks)
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
	elif cancelled and (entry.closed != "cancelled" or entry.heard):
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
