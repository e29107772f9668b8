## Reads and writes every message of the golden folder and tells, as JSON, where it does not agree.
##
## godot --headless --path . -s res://checks/golden.gd -- FOLDER
extends SceneTree

const Messages := preload("res://addons/npc_engine/wire/messages.gd")
const Checks := preload("res://addons/npc_engine/wire/checks.gd")

var _wrong: Array[String] = []
var _counts := {read = 0, written = 0, refused = 0}


func _initialize() -> void:
	var folder := OS.get_cmdline_user_args()[0]
	for file in DirAccess.get_files_at(folder):
		if file.ends_with(".json"):
			_check(file.get_basename(), folder.path_join(file.get_basename()))
	print("RESULT ", JSON.stringify({wrong = _wrong, counts = _counts}))
	quit(1 if _wrong else 0)


func _check(name: String, path: String) -> void:
	var told: Dictionary = JSON.parse_string(FileAccess.get_file_as_string(path + ".json"))
	var frames := _frames(FileAccess.get_file_as_bytes(path + ".bin"))
	var from_game: bool = told.from == "game"
	var message := Messages.decode(frames, from_game)
	if not told.has("message"):
		_expect_fault(name, message, told.error)
		return
	if message.kind == "fault":
		_wrong.append("%s: can't be read: %s" % [name, message.text])
		return
	var plain := _plain(message)
	var difference := _difference(plain, told.message, "")
	if difference:
		_wrong.append("%s: %s" % [name, difference])
	_counts.read += 1
	if from_game:
		_check_written(name, told, frames)


func _check_written(name: String, told: Dictionary, frames: Array[PackedByteArray]) -> void:
	var message: Dictionary = _with_integers(told.message)
	var refusal := Checks.refusal(message, {} if told.has("error") else {l1 = true})
	if told.has("error"):
		_counts.refused += 1
		if refusal.get("code") != told.error.code or not told.error.text in refusal.get("text", ""):
			_wrong.append("%s: refused with %s, expected %s" % [name, refusal, told.error])
		if told.error.code not in ["unknown-line", "bad-version", "bad-text"] and not refusal:
			return
	elif refusal and refusal.code != "unknown-line":
		_wrong.append("%s: refused with %s, expected not" % [name, refusal])
	if told.canonical:
		_counts.written += 1
		var written := Messages.encode(message)
		if written != frames:
			_wrong.append("%s: written as %s, expected %s" % [name, written, frames])


func _expect_fault(name: String, message: Dictionary, error: Dictionary) -> void:
	_counts.refused += 1
	if message.kind != "fault":
		_wrong.append("%s: was read, expected %s" % [name, error])
		return
	for key: String in ["code", "line", "id"]:
		if message[key] != error[key]:
			_wrong.append("%s: %s is %s, expected %s" % [name, key, message[key], error[key]])
	# the texts of msgpack's faults are each reader's own
	if not error.text in message.text and not "is no msgpack map" in error.text:
		_wrong.append("%s: '%s', expected '%s'" % [name, message.text, error.text])


func _frames(data: PackedByteArray) -> Array[PackedByteArray]:
	var frames: Array[PackedByteArray] = []
	var at := 4
	for _i in data.decode_u32(0):
		var size := data.decode_u32(at)
		frames.append(data.slice(at + 4, at + 4 + size))
		at += 4 + size
	assert(at == data.size())
	return frames


## A message as its JSON tells it.
func _plain(message: Dictionary) -> Dictionary:
	var plain := message.duplicate()
	for key: String in message:
		var value: Variant = message[key]
		if value is PackedVector2Array:
			plain[key] = Array(value).map(func(v: Vector2) -> int: return roundi(v.x * 32767.0))
		elif value is PackedFloat32Array:
			var width := len(value) / int(message.ticks)
			plain[key] = range(0, len(value), width).map(func(i: int) -> Array: return Array(value.slice(i, i + width)))
		elif value is PackedByteArray:
			plain[key] = value.hex_encode()
	return plain


func _difference(got: Variant, told: Variant, where: String) -> String:
	if told is Dictionary and got is Dictionary:
		if got.keys().size() != told.keys().size():
			return "%s has the keys %s, expected %s" % [where, got.keys(), told.keys()]
		for key: String in told:
			var found := _difference(got.get(key), told[key], where + "." + key)
			if found:
				return found
		return ""
	if told is Array and got is Array and len(told) == len(got):
		for i in len(told):
			var found := _difference(got[i], told[i], "%s[%d]" % [where, i])
			if found:
				return found
		return ""
	var same: bool
	if where.contains(".sound[") and told == -32768:
		same = got == -32767
	elif told is float or told is int:
		same = (got is int or got is float) and float(got) == float(told)
		if where.contains("coefficients"):  # Godot reads decimals to about 15 digits; a half has 11 bits
			same = got is float and got == PackedFloat32Array([told])[0]
		# whole numbers must have come as such; strength alone is a float
		same = same and (got is int or where.contains("strength") or where.contains("coefficients"))
	else:
		same = typeof(got) == typeof(told) and got == told
	return "" if same else "%s is %s, expected %s" % [where, got, told]


## JSON has no whole numbers of its own; `sound` becomes PCM again.
func _with_integers(value: Variant, key := "") -> Variant:
	if value is Dictionary:
		var out := {}
		for name: String in value:
			out[name] = _with_integers(value[name], name)
		return out
	if key == "sound" and value is Array:
		var pcm := PackedByteArray()
		pcm.resize(2 * len(value))
		for i in len(value):
			pcm.encode_s16(2 * i, int(value[i]))
		return pcm
	if value is float and key != "strength":
		return int(value)
	return value
