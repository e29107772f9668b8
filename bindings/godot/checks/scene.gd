## The demo scene and the dock with a real engine (tests/tone.py): lines are heard, shapes move, words light up.
##
## godot --headless --path . -s res://checks/scene.gd -- ADDRESS
extends SceneTree

const TIME_MS := 30_000
const Connection := preload("res://addons/npc_engine/wire/connection.gd")
const Messages := preload("res://addons/npc_engine/wire/messages.gd")
const Dock := preload("res://addons/npc_engine/editor/dock.gd")
const Playback := preload("res://addons/npc_engine/play/playback.gd")

var _wrong: Array[String] = []
var _figures := {}
var _demo: Control
var _engine: NpcEngine
var _voice: NpcVoice
var _told: Array[Array] = []
var _jaw := [0.0, 0.0]  # the widest of the shape, and what it is now
var _pictures := {}


func _initialize() -> void:
	_demo = load("res://demo/demo.tscn").instantiate()
	_engine = _demo.get_node("NpcEngine")
	_voice = _demo.get_node("NpcVoice")
	_engine.address = OS.get_cmdline_user_args()[0]
	root.add_child(_demo)
	_voice.line_started.connect(func(line: String) -> void: _told.append(["started", line]))
	_voice.line_ended.connect(func(line: String, how: String) -> void: _told.append(["ended", line, how]))
	_voice.word.connect(func(word: Dictionary) -> void: _told.append(["word", word.text]))
	_voice.mark.connect(func(name: String) -> void: _told.append(["mark", name]))
	_voice.interrupted.connect(func(line: String, heard: String) -> void: _told.append(["heard", line, heard]))
	_voice.failed.connect(func(line: String, code: String, _text: String) -> void: _told.append(["failed", line, code]))
	process_frame.connect(_look)
	_run()


func _look() -> void:
	var head: DemoHead = _demo.get_node("%Head")
	for mesh in head.meshes:
		var index := mesh.find_blend_shape_by_name(&"jawOpen")
		if index >= 0:
			_jaw[1] = mesh.get_blend_shape_value(index)
			_jaw[0] = maxf(_jaw[0], _jaw[1])
	var texture: Texture2D = _demo.get_node("Rows/Faces/Portrait").texture
	if texture:
		_pictures[_voice.shown_picture.get_pixel(20, 20).to_html()] = true


func _run() -> void:
	await _until(func() -> bool: return _voice.npc != "", "the scene lists who can speak")
	_voice.npc = "anna"
	_voice.picture = 64
	await _until(func() -> bool: return not _voice.face.is_empty(), "an idle face comes")
	await _check_line()
	await _check_interrupt()
	await _check_open()
	await _check_live()
	await _check_microphone()
	await _check_stall()
	await _check_dock()
	_check_cost()
	_voice.attitude = ""
	_voice.interrupt()
	process_frame.disconnect(_look)
	var begun := Time.get_ticks_usec()
	_demo.queue_free()
	await process_frame
	_figures.leave_ms = (Time.get_ticks_usec() - begun) / 1000.0
	await create_timer(0.2).timeout  # the mixer fades what was stopped, and would lack it at the end
	print("RESULT ", JSON.stringify({wrong = _wrong, figures = _figures}))
	quit(1 if _wrong else 0)


func _check_line() -> void:
	_told.clear()
	_jaw[0] = 0.0
	var begun := Time.get_ticks_msec()
	var line := _voice.say("one two #half three four five six")
	await _until(func() -> bool: return ["started", line] in _told, "the line is heard")
	_figures.first_heard_ms = Time.get_ticks_msec() - begun
	await _until(func() -> bool: return ["ended", line, "end"] in _told, "the line ends")
	_figures.line_ms = Time.get_ticks_msec() - begun
	var words: Array = _told.filter(func(told: Array) -> bool: return told[0] == "word")
	_expect(len(words) == 6, "six words, not %s" % [words])
	_expect(["mark", "half"] in _told, "the mark")
	_expect(_jaw[0] > 0.1 and _jaw[1] < 0.05, "the jaw opens and shuts: %s" % [_jaw])
	_expect(len(_pictures) > 1, "pictures change: %s" % [_pictures.keys()])
	_figures.shapes = (_demo.get_node("NpcVoice/NpcFace") as NpcFace).bound_shapes()
	_figures.jaw = _jaw[0]


func _check_interrupt() -> void:
	_told.clear()
	var text := " ".join(range(30).map(func(i: int) -> String: return "word%d" % i))
	var line := _voice.say(text)
	var after := _voice.say("never said")
	await _until(func() -> bool: return ["word", "word4"] in _told, "the fifth word is heard")
	_voice.interrupt()
	var begun := Time.get_ticks_msec()
	await _until(func() -> bool: return _jaw[1] < 0.02, "the mouth shuts")
	_figures.shut_ms = Time.get_ticks_msec() - begun
	await _until(func() -> bool: return ["ended", line, "cancelled"] in _told, "the line is cancelled")
	await _until(func() -> bool: return ["ended", after, "cancelled"] in _told, "and the one that waits")
	var heard: Array = _told.filter(func(told: Array) -> bool: return told[0] == "heard" and told[1] == line)
	_expect(len(heard) == 1 and heard[0][2] == "word0 word1 word2 word3", "four words were heard whole: %s" % [heard])
	# another one takes its place in mid-line
	var former := _voice.say(text)
	await _until(func() -> bool: return ["started", former] in _told, "a line begins")
	var line_in_place := _voice.say("instead of it", NpcVoice.Turn.REPLACE)
	await _until(func() -> bool: return ["ended", line_in_place, "end"] in _told, "the line in its place ends")
	_expect(["ended", former, "cancelled"] in _told, "the former one was cut")


func _check_open() -> void:
	_told.clear()
	var line := _voice.say_open("He")
	for piece: String in ["llo the", "re frie", "nd [of] mine", " here"]:
		_voice.append(line, piece)
		await process_frame
	_voice.commit(line)
	var shown := {}
	while ["ended", line, "end"] not in _told and len(shown) < 1000:
		await process_frame
		shown[_demo.get_node("Rows/Subtitles").get_parsed_text()] = true
		if _told.any(func(told: Array) -> bool: return told[0] == "failed"):
			break
	_expect(["ended", line, "end"] in _told, "open text is said: %s" % [_told])
	_expect("Hello there friend [of] mine here" in shown, "its subtitles: %s" % [shown.keys()])


func _check_live() -> void:
	_told.clear()
	var line := _voice.say_live(16_000)
	var samples := PackedFloat32Array()
	samples.resize(640)
	for i in samples.size():
		samples[i] = 0.5 * sin(TAU * 440.0 * i / 16_000.0)
	for _i in 10:
		_voice.hear(line, samples)
	_voice.commit(line)
	await _until(func() -> bool: return ["ended", line, "end"] in _told or _failed(line), "live sound ends")
	_expect(not _failed(line), "live sound is said: %s" % [_told])


## A bus that hears a tone takes the place of a microphone, which a machine without sound has not.
func _check_microphone() -> void:
	_told.clear()
	AudioServer.add_bus()
	AudioServer.set_bus_name(AudioServer.bus_count - 1, "Record")
	AudioServer.add_bus_effect(AudioServer.bus_count - 1, AudioEffectCapture.new())
	var tone := AudioStreamPlayer.new()
	var generator := AudioStreamGenerator.new()
	generator.buffer_length = 0.5
	tone.stream = generator
	tone.bus = "Record"
	root.add_child(tone)
	var microphone := NpcMicrophone.new()
	microphone.voice = _voice
	microphone.denoise = false
	root.add_child(microphone)
	tone.play()
	var frames := PackedVector2Array()
	for i in 12_000:
		frames.append(Vector2.ONE * 0.5 * sin(TAU * 440.0 * i / 44_100.0))
	(tone.get_stream_playback() as AudioStreamGeneratorPlayback).push_buffer(frames)
	_jaw[0] = 0.0
	var line := microphone.begin()
	await create_timer(0.3).timeout
	microphone.end()
	await _until(func() -> bool: return ["ended", line, "end"] in _told or _failed(line), "what was heard ends")
	_expect(not _failed(line) and _jaw[0] > 0.1, "what the bus heard moves the jaw: %s %s" % [_jaw, _told])
	tone.stop()
	tone.queue_free()
	microphone.queue_free()


func _check_stall() -> void:
	_told.clear()
	var text := " ".join(range(40).map(func(i: int) -> String: return "word%d" % i))
	var line := _voice.say(text)
	await _until(func() -> bool: return ["started", line] in _told, "a long line begins")
	OS.delay_msec(2500)
	await _until(func() -> bool: return ["ended", line, "end"] in _told or _failed(line), "it ends")
	_expect(["ended", line, "end"] in _told, "it goes on after 2.5 s in which nothing moved: %s" % [_told])


func _check_dock() -> void:
	var dock := Dock.new()
	root.add_child(dock)
	dock._address.text = _engine.address
	dock.connect_engine()
	await _until(func() -> bool: return dock._list.item_count > 0, "the dock lists who there is")
	_expect(dock._list.item_count >= 5, "2 characters, 2 voices and a face: %d" % dock._list.item_count)
	dock.say()
	await _until(func() -> bool: return dock._state.text == "Said: end", "the dock's line is said: " + dock._state.text)
	dock.free()


## What one moment costs: read, taken, and shown on 52 shapes.
func _check_cost() -> void:
	var pcm := PackedByteArray()
	pcm.resize(1920)
	var halves := PackedByteArray()
	halves.resize(200)
	var header := {kind = "moment", line = "l1", tick = 0, ticks = 2, sound = pcm.size(), coefficients = halves.size()}
	var frames: Array[PackedByteArray] = [PackedByteArray(), pcm, halves]
	var playback := Playback.new()
	var face: NpcFace = NpcFace.new()
	var mesh := ArrayMesh.new()
	for i in 52:
		mesh.add_blend_shape(_engine.welcome.arkit52[i])
	var arrays := SphereMesh.new().get_mesh_arrays()
	var blend := [arrays[Mesh.ARRAY_VERTEX], arrays[Mesh.ARRAY_NORMAL], arrays[Mesh.ARRAY_TANGENT]]
	var blends: Array[Array] = []
	for i in 52:
		blends.append(blend)
	mesh.add_surface_from_arrays(Mesh.PRIMITIVE_TRIANGLES, arrays, blends)
	var instance := MeshInstance3D.new()
	instance.mesh = mesh
	face.meshes = [instance]
	face.bind(_engine.welcome.channels)
	_expect(face.bound_shapes() == 52, "52 shapes are bound: %d" % face.bound_shapes())
	var decoding: Array[int] = []
	var showing: Array[int] = []
	for i in 300:
		header.tick = 2 * i
		halves.encode_half(0, i % 10 / 10.0)
		frames[0] = Messages.Msgpack.write(header)
		frames[2] = halves
		var begun := Time.get_ticks_usec()
		var message := Messages.decode(frames)
		decoding.append(Time.get_ticks_usec() - begun)
		begun = Time.get_ticks_usec()
		playback.add(message)
		playback.sound(960)
		playback.at(960 * i)
		face.apply(playback.face)
		showing.append(Time.get_ticks_usec() - begun)
	decoding.sort()
	showing.sort()
	_figures.decode_ms = decoding[150] / 1000.0
	_figures.apply_ms = showing[150] / 1000.0
	_figures.least_ms = (decoding[0] + showing[0]) / 1000.0
	instance.free()
	face.free()


func _failed(line: String) -> bool:
	return _told.any(func(told: Array) -> bool: return told[0] == "failed" and told[1] == line)


func _expect(condition: bool, what: String) -> void:
	if not condition:
		_wrong.append("expected " + what)


func _until(condition: Callable, what: String) -> void:
	var end := Time.get_ticks_msec() + TIME_MS
	while not condition.call():
		if Time.get_ticks_msec() > end:
			_wrong.append("in vain: %s, told: %s" % [what, _told.slice(-5)])
			return
		await process_frame
