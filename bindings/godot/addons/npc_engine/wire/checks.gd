@tool
## Whether an engine can do what a message asks, as far as that can be said without its characters.
extends RefCounted

const Messages := preload("messages.gd")
const Rules := preload("rules.gd")


## What an engine would refuse of a message: {} if nothing, else {code, text}. `open`: ids of the lines that are.
static func refusal(message: Dictionary, open: Dictionary) -> Dictionary:
	var fault := Messages.fault_of(message)
	if fault:
		return {code = fault.code, text = fault.text}
	match message.kind:
		"hello":
			if message.version != Rules.WIRE_VERSION:
				return _no("bad-version", "wire version %d, expected %d" % [message.version, Rules.WIRE_VERSION])
		"speak":
			return _speak(message)
		"warm":
			var manner := _manner(message)
			return manner if manner else _length(message.get("text", ""))
		"cancel":
			return _cancel(message, open)
		"append", "commit", "credit", "sound", "playhead":
			return _unknown(message.line, open)
	return {}


static func _no(code: String, text: String) -> Dictionary:
	return {code = code, text = text}


static func _unknown(line: String, open: Dictionary) -> Dictionary:
	return {} if line in open else _no("unknown-line", "no line '%s'" % line)


static func _cancel(message: Dictionary, open: Dictionary) -> Dictionary:
	var named: Array[String] = []
	for key: String in ["line", "npc", "all"]:
		if message.get(key):
			named.append(key)
	if len(named) != 1:
		var what := " and ".join(named) if named else "nothing"
		return _no("bad-message", "cancel: %s named, expected one of line, npc and all" % what)
	return _unknown(message.line, open) if named[0] == "line" else {}


static func _speak(speak: Dictionary) -> Dictionary:
	var found := _manner(speak)
	found = found if found else _name("attitude", speak, Rules.ATTITUDES, "", "unknown-attitude")
	found = found if found else _name("turn", speak, Rules.TURNS, "wait", "unknown-turn")
	found = found if found else _text(speak)
	found = found if found else _length(speak.text)
	return found if found else _outputs(speak.get("outputs", {}))


static func _text(speak: Dictionary) -> Dictionary:
	var attitude: String = speak.get("attitude", "")
	var live: bool = speak.get("live", false)
	if attitude or live:
		var line := "a live line says what it hears"
		if attitude:
			line = "a line of attitude '%s' says nothing" % attitude
		if attitude and live:
			return _no("bad-message", line + ", but came with live")
		if speak.get("open", false):
			return _no("bad-text", line + ", but came with open text")
		if speak.text:
			return _no("bad-text", "%s, but came with a text of %d characters" % [line, speak.text.length()])
	elif not speak.get("open", false) and not speak.text.strip_edges():
		return _no("bad-text", "text is empty")
	if speak.get("lasts_ms", 0) and not attitude:
		return _no(
			"bad-message", "speak: lasts_ms is %d, expected 0: a text lasts as long as it takes to say" % speak.lasts_ms
		)
	if speak.get("denoise", false) and not live:
		return _no("bad-message", "speak: denoise is true, expected false: only live sound has noise")
	return {}


static func _length(text: String) -> Dictionary:
	if text.length() <= Rules.TEXT_CHARS:
		return {}
	return _no("bad-text", "text has %d characters, expected at most %d" % [text.length(), Rules.TEXT_CHARS])


static func _manner(message: Dictionary) -> Dictionary:
	if not message.get("npc") and not message.get("voice"):
		return _no("bad-message", "%s: neither npc nor voice is named, expected one of them" % message.kind)
	var found := _name("style", message, Rules.STYLES, "", "unknown-style")
	return found if found else _name("emotion", message, Rules.EMOTIONS, "neutral", "unknown-emotion")


static func _outputs(outputs: Dictionary) -> Dictionary:
	var found := _name("coefficients", outputs, Rules.COEFFICIENTS, "exp50", "unknown-output")
	if not found:
		found = _name("picture_format", outputs, Rules.PICTURE_FORMATS, "", "unknown-output")
	if found:
		return found
	var edge: int = outputs.get("picture", 0)
	if edge and (edge < 32 or edge > 2048):
		return _no("bad-message", "speak: outputs: picture is %d, expected 0, or 32 to 2048 pixels" % edge)
	var every: int = outputs.get("picture_every", 2)
	if every < 1 or every > 50:
		return _no("bad-message", "speak: outputs: picture_every is %d, expected 1 to 50 ticks" % every)
	return {}


static func _name(
	key: String, message: Dictionary, known: Array[String], by_default: String, code: String
) -> Dictionary:
	var name: String = message.get(key, by_default)
	if name in known:
		return {}
	var names: Array[String] = []
	for other in known:
		if other:
			names.append("'%s'" % other)
	var hint := Messages.nearest(name, known)
	return _no(code, "no %s '%s'%s; known: %s" % [key, name, hint, ", ".join(names)])
