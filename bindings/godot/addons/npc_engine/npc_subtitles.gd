@tool
@icon("icons/npc_subtitles.svg")
class_name NpcSubtitles
extends RichTextLabel
## Shows what a character says; the word that is heard lights up.

## Whose words; without one, a sibling or the parent.
@export var voice: NpcVoice
## Of the word that is heard.
@export var highlight := Color(1.0, 0.85, 0.3)
## Of the words that are still to come.
@export var coming := Color(1.0, 1.0, 1.0, 0.45)
## Seconds that a line stays when it was said.
@export_range(0.0, 10.0) var lingers := 1.5

var _shown := [-1, 0]  # the word, and how many there were
var _left := 0.0


func _ready() -> void:
	bbcode_enabled = true
	if voice == null and get_parent() is NpcVoice:
		voice = get_parent()
	for node in get_parent().get_children():
		if voice == null and node is NpcVoice:
			voice = node
	if Engine.is_editor_hint() and (voice == null or not voice.in_editor):
		set_process(false)
	elif voice:
		voice.line_started.connect(func(_line: String) -> void: _show())
		voice.line_ended.connect(func(_line: String, _how: String) -> void: _left = lingers)


func _process(delta: float) -> void:
	if voice == null:
		return
	if _left > 0.0:
		_left -= delta
		if _left <= 0.0 and not voice.is_speaking():
			clear()
	elif voice.is_speaking() and _shown != [voice.current_word, len(voice.words)]:
		_show()


func _show() -> void:
	_left = 0.0
	_shown = [voice.current_word, len(voice.words)]
	var parts: Array[String] = []
	for i in len(voice.words):
		var part: String = _escaped(_with_stops(i))
		if i == voice.current_word:
			part = "[color=#%s]%s[/color]" % [highlight.to_html(), part]
		elif i > voice.current_word:
			part = "[color=#%s]%s[/color]" % [coming.to_html(), part]
		parts.append(part)
	text = "".join(parts).strip_edges()


## A word as it stands in the line's text, with what follows it up to the next one.
func _with_stops(index: int) -> String:
	var said: Dictionary = voice.words[index]
	if voice.text.begins_with("<speak") or said.last > voice.text.length():
		return said.text + " "
	var next: int = voice.words[index + 1].first if index + 1 < len(voice.words) else voice.text.length()
	if index + 1 == len(voice.words):
		while next > said.last and next > said.last + 2:
			next = said.last + 1  # what follows was not spoken yet: a stop at most
	return voice.text.substr(said.first, maxi(next, said.last) - said.first)


func _escaped(part: String) -> String:
	return part.replace("[", "[lb]")
