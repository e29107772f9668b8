@tool
## Messages to frames and back: [header in msgpack][sound][coefficients][picture]. No I/O.
##
## A message is a Dictionary with [code]kind[/code] and the keys of PROTOCOL.md. What can't be read is one of kind
## "fault", with the keys code, text, line and id; nothing here prints an error, whatever the bytes hold.
extends RefCounted

const Msgpack := preload("msgpack.gd")
const Rules := preload("rules.gd")

const HALF_ENDLESS := 0x7c00  # the exponent of a half that is infinite or no number


## The frames of a game's message; keys at their default are left out. Check it first with [method fault_of].
static func encode(message: Dictionary) -> Array[PackedByteArray]:
	var rules: Dictionary = Rules.requests[message.kind]
	var header := {kind = message.kind}
	var payloads: Array[PackedByteArray] = []
	for key: String in rules:
		if rules[key].form != Rules.Form.PAYLOAD:
			_put_key(header, rules[key], key, message.get(key, rules[key].by_default))
	for key: String in Rules.PAYLOADS:
		var payload: Variant = message.get(key) if key in rules else null
		if payload:
			header[key] = len(payload)
			payloads.append(payload)
	var frames: Array[PackedByteArray] = [Msgpack.write(header)]
	frames.append_array(payloads)
	return frames


static func _put_key(header: Dictionary, rule: Dictionary, key: String, value: Variant) -> void:
	match rule.form:
		Rules.Form.MAP:
			var inner := {}
			for name: String in rule.fields:
				var by_default: Variant = rule.fields[name].by_default
				_put_key(inner, rule.fields[name], name, value.get(name, by_default))
			if inner:
				header[key] = inner
		Rules.Form.REAL:
			if value != rule.by_default:
				header[key] = float(value)
		_:
			if rule.by_default == null or value != rule.by_default:
				header[key] = value


## What is wrong with a message that a game is about to send: {} if nothing, else a message of kind "fault".
static func fault_of(message: Dictionary) -> Dictionary:
	var kind: Variant = message.get("kind")
	if typeof(kind) != TYPE_STRING or kind not in Rules.requests:
		return _fault("kind %s is unknown; known: %s" % [shown(kind), ", ".join(Rules.requests.keys())])
	var rules: Dictionary = Rules.requests[kind]
	var where: String = kind
	for key: String in message:
		if key not in rules and key != "kind":
			var hint := nearest(key, rules.keys())
			return _fault("%s has the key '%s'%s" % [where, key, hint], message)
	var taken := {}
	var text := _take(rules, message, where, taken)
	return _fault(text, message) if text else {}


## The message in frames, its defaults filled in.
##
## Of a moment [code]sound[/code] is a PackedVector2Array, left and right alike, as an AudioStreamGenerator wants it,
## [code]coefficients[/code] a PackedFloat32Array of tick after tick, [code]picture[/code] the file's bytes, each
## [code]null[/code] where there is none. [code]from_game[/code]: read what a game says, with sound in the same form.
static func decode(frames: Array[PackedByteArray], from_game := false) -> Dictionary:
	if frames.is_empty() or len(frames) > 4:
		return _fault("message of %d frames, expected 1 to 4" % len(frames))
	var reader := Msgpack.new(frames[0])
	var header := _header(reader)
	if header.get("kind") is String and header.kind == "fault" and header.has("fault"):
		return header
	var left := frames[0].size() - reader.at
	if left:
		return _fault("header is no msgpack map: %d bytes follow its end" % left)
	var message := _read(header, frames, from_game)
	return message


## As [method decode], of a WebSocket's message: the header, then its payloads without lengths.
static func decode_joined(bytes: PackedByteArray) -> Dictionary:
	var reader := Msgpack.new(bytes)
	var header := _header(reader)
	if header.has("fault"):
		return header
	var frames: Array[PackedByteArray] = [bytes.slice(0, reader.at)]
	var at := reader.at
	for key: String in Rules.PAYLOADS:
		var size: Variant = header.get(key, 0)
		if size is int and size > 0:
			frames.append(bytes.slice(at, at + size))
			at += size
	if at < bytes.size():
		return _fault("%d bytes follow what the header promised" % (bytes.size() - at), header)
	return _read(header, frames, false)


static func _header(reader: Msgpack) -> Dictionary:
	var header: Variant = reader.value()
	if reader.at > Rules.HEADER_BYTES:
		return _fault("header of %d bytes, expected at most %d" % [reader.at, Rules.HEADER_BYTES])
	if reader.error:
		return _fault("header is no msgpack map: %s" % reader.error)
	if not header is Dictionary:
		return _fault("header is %s, expected a msgpack map" % shown(header))
	header.erase("fault")
	return header


static func _read(header: Dictionary, frames: Array[PackedByteArray], from_game: bool) -> Dictionary:
	var kind: Variant = header.get("kind")
	if not kind is String:
		return _fault("header has kind %s, expected a string" % shown(kind), header)
	var known := Rules.requests if from_game else Rules.replies
	if kind not in known:
		var others := Rules.replies if from_game else Rules.requests
		var way := "travels the other way" if kind in others else "is unknown; known: %s" % ", ".join(known.keys())
		return _fault("kind %s %s" % [shown(kind), way], header, "unknown-kind")
	var message := {kind = kind}
	var text := _take(known[kind], header, kind, message)
	if not text:
		text = _take_payloads(known[kind], header, frames, message)
	if not text and kind == "moment":
		text = _moment_fault(message)
	return _fault(text, header) if text else message


## Puts the keys that `rules` know into `message`, and tells what is wrong with the first that is.
static func _take(rules: Dictionary, values: Dictionary, where: String, message: Dictionary) -> String:
	for key: String in rules:
		var rule: Dictionary = rules[key]
		if rule.form == Rules.Form.PAYLOAD:
			message[key] = null
			continue
		if not values.has(key):
			if rule.by_default == null and not rule.has("may_lack"):
				return "%s: key '%s' is missing" % [where, key]
			message[key] = _default_of(rule)
			continue
		var text := _value_fault(rule, values[key], "%s: %s" % [where, key], message, key)
		if text:
			return text
	return ""


static func _default_of(rule: Dictionary) -> Variant:
	if rule.form != Rules.Form.MAP:
		return rule.by_default.duplicate() if rule.by_default is Array else rule.by_default
	var inner := {}
	for key: String in rule.fields:
		inner[key] = rule.fields[key].by_default
	return inner


static func _value_fault(rule: Dictionary, value: Variant, where: String, into: Variant, key: Variant) -> String:
	var type := typeof(value)
	match rule.form:
		Rules.Form.TEXT:
			if type != TYPE_STRING:
				return "%s is %s, expected a string" % [where, shown(value)]
			var count: int = value.length()
			if count < rule.low or count > rule.high:
				return "%s has %d characters, expected %d to %d" % [where, count, rule.low, rule.high]
		Rules.Form.WHOLE:
			if value == null and rule.has("may_lack"):
				pass
			elif type != TYPE_INT:
				return "%s is %s, expected a whole number" % [where, shown(value)]
			elif value < rule.low or value > rule.high:
				return "%s is %d, expected %d to %d" % [where, value, rule.low, rule.high]
		Rules.Form.REAL:
			if type != TYPE_INT and type != TYPE_FLOAT:
				return "%s is %s, expected a number" % [where, shown(value)]
			if not (value >= rule.low and value <= rule.high):  # NaN is in no range
				return "%s is %s, expected %s to %s" % [where, value, rule.low, rule.high]
			value = float(value)
		Rules.Form.TRUTH:
			if type != TYPE_BOOL:
				return "%s is %s, expected true or false" % [where, shown(value)]
		Rules.Form.LIST:
			return _list_fault(rule, value, where, into, key)
		Rules.Form.MAP:
			if type != TYPE_DICTIONARY:
				return "%s is %s, expected a map" % [where, shown(value)]
			into[key] = {}
			return _take(rule.fields, value, where, into[key])
	into[key] = value
	return ""


static func _list_fault(rule: Dictionary, value: Variant, where: String, into: Variant, key: Variant) -> String:
	if typeof(value) != TYPE_ARRAY:
		return "%s is %s, expected a list" % [where, shown(value)]
	var list := []
	list.resize(len(value))
	for i in len(value):
		var text := _value_fault(rule.item, value[i], "%s[%d]" % [where, i], list, i)
		if text:
			return text
	into[key] = list
	return ""


static func _take_payloads(
	rules: Dictionary, header: Dictionary, frames: Array[PackedByteArray], message: Dictionary
) -> String:
	var promised: Array[String] = []
	for key: String in Rules.PAYLOADS:
		if key in rules:
			var size: Variant = header.get(key, 0)
			if typeof(size) != TYPE_INT or size < 0 or size > Rules.PAYLOAD_BYTES:
				return "%s is %s, expected 0 to %d bytes" % [key, shown(size), Rules.PAYLOAD_BYTES]
			if size:
				promised.append(key)
	if len(promised) != len(frames) - 1:
		return "message of %d payloads, header promised %d" % [len(frames) - 1, len(promised)]
	for i in len(promised):
		var key := promised[i]
		var payload := frames[i + 1]
		if payload.size() != header[key]:
			return "payload of %d bytes, header promised %d" % [payload.size(), header[key]]
		if key != "picture" and payload.size() % 2:
			return "%s of %d bytes, expected a multiple of 2" % [key, payload.size()]
		match key:
			"sound":
				message[key] = stereo(payload)
			"coefficients":
				message[key] = halves(payload)
				if message[key].is_empty():
					return "coefficients hold a value that is not finite"
			_:
				message[key] = payload
	return ""


## PCM16 as an AudioStreamGenerator wants it: −1…1, left and right alike.
static func stereo(pcm: PackedByteArray) -> PackedVector2Array:
	var out := PackedVector2Array()
	out.resize(pcm.size() / 2)
	for i in out.size():
		out[i] = Vector2.ONE * maxf(pcm.decode_s16(2 * i) / 32767.0, -1.0)
	return out


## PCM16 of samples −1…1, mono.
static func pcm16(samples: PackedFloat32Array) -> PackedByteArray:
	var out := PackedByteArray()
	out.resize(2 * samples.size())
	for i in samples.size():
		out.encode_s16(2 * i, roundi(clampf(samples[i], -1.0, 1.0) * 32767.0))
	return out


## Numbers of IEEE 754 binary16; none if one of them is not finite.
static func halves(part: PackedByteArray) -> PackedFloat32Array:
	# an Image converts them all at once in the engine's own code
	var image := Image.create_from_data(part.size() / 2, 1, false, Image.FORMAT_RH, part)
	image.convert(Image.FORMAT_RF)
	var values := image.get_data().to_float32_array()
	for value in values:
		if not is_finite(value):
			return PackedFloat32Array()
	return values


static func _moment_fault(message: Dictionary) -> String:
	var ticks: int = message.ticks
	if message.sound != null and len(message.sound) != ticks * Rules.TICK_SAMPLES:
		var expected := ticks * Rules.TICK_SAMPLES
		return "sound of %d samples, expected %d for %d ticks" % [len(message.sound), expected, ticks]
	if message.coefficients != null:
		var count := len(message.coefficients)
		if count % ticks or count / ticks not in Rules.WIDTHS:
			return "coefficients of %d values, expected %d times one of 15, 50, 52" % [count, ticks]
	if (message.picture == null) != (message.picture_tick == null):
		return "picture and picture_tick come together or not at all"
	var last: int = message.tick + ticks - 1
	if message.picture_tick != null and (message.picture_tick < message.tick or message.picture_tick > last):
		return "picture_tick is %d, expected %d to %d" % [message.picture_tick, message.tick, last]
	return ""


static func _fault(text: String, header := {}, code := "bad-message") -> Dictionary:
	return {
		kind = "fault",
		fault = true,
		code = code,
		text = text,
		line = _name_in(header, "line"),
		id = _name_in(header, "id"),
	}


## The id that a broken message carries; "" where that is broken too.
static func _name_in(header: Dictionary, key: String) -> String:
	var name: Variant = header.get(key)
	return name if name is String and name.length() <= 64 else ""


## A value as an error's text has it.
static func shown(value: Variant) -> String:
	match typeof(value):
		TYPE_DICTIONARY:
			return "a map"
		TYPE_ARRAY:
			return "a list"
		TYPE_STRING:
			return "'%s'" % (value if value.length() <= 40 else value.left(40) + "…")
	return str(value)


## A hint such as ", did you mean 'lively'?", or nothing when no known name is close.
static func nearest(name: String, known: Array) -> String:
	var best := ""
	for other: String in known:
		if name.similarity(other) > maxf(0.5, name.similarity(best)):
			best = other
	return ", did you mean '%s'?" % best if best else ""
