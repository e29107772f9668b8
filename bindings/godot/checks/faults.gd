## Engines that are not there, are silent, are too new or say nonsense: what is told of each, and that nothing is left.
##
## godot --headless --path . -s res://checks/faults.gd -- JSON, a list of {name, address, wants: "a:b"}: until each has
## told all that it wants.
extends SceneTree

const TIME_MS := 30_000

var _engines := {}  # name → NpcEngine
var _told := {}  # name → [[signal, text]]


func _initialize() -> void:
	_run(JSON.parse_string(OS.get_cmdline_user_args()[0]))


func _run(cases: Array) -> void:
	var slowest := 0.0
	for case: Dictionary in cases:
		var engine := NpcEngine.new()
		engine.address = case.address
		engine.connect_seconds = 2.0
		engine.silence_seconds = 4.0
		engine.answer_seconds = 1.0
		_engines[case.name] = engine
		_told[case.name] = []
		engine.connected.connect(_on_connected.bind(case.name))
		engine.disconnected.connect(_tell.bind("disconnected", case.name))
		engine.refused.connect(_tell.bind("refused", case.name))
		engine.received.connect(_on_received.bind(case.name))
		root.add_child(engine)
	var end := Time.get_ticks_msec() + TIME_MS
	var last := Time.get_ticks_usec()
	while Time.get_ticks_msec() < end and not cases.all(_is_told):
		await process_frame
		slowest = maxf(slowest, (Time.get_ticks_usec() - last) / 1000.0)
		last = Time.get_ticks_usec()
	var connections := []
	for name: String in _engines:
		connections.append(_engines[name]._connection)
	var begun := Time.get_ticks_usec()
	for name: String in _engines:
		_engines[name].queue_free()
	await process_frame
	var left := connections.filter(func(connection: RefCounted) -> bool: return connection and connection.is_running())
	var figures := {threads = len(left), leave_ms = (Time.get_ticks_usec() - begun) / 1000.0, slowest_ms = slowest}
	print("RESULT ", JSON.stringify({told = _told, figures = figures}))
	quit(0)


func _is_told(case: Dictionary) -> bool:
	for wanted: String in case.wants.split(" "):
		if not _told[case.name].any(func(told: Array) -> bool: return told[0] == wanted):
			return false
	return true


func _on_connected(_welcome: Dictionary, name: String) -> void:
	_tell("", "connected", name)
	_engines[name].speak({npc = "anna", text = "Hello"})
	_engines[name].speak({npc = "", text = "Hello"})


func _on_received(message: Dictionary, name: String) -> void:
	if message.kind == "error":
		_tell(message.text, message.code, name)


func _tell(text: String, what: String, name: String) -> void:
	_told[name].append([what, text])
