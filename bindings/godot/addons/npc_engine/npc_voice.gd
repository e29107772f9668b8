@tool
@icon("icons/npc_voice.svg")
class_name NpcVoice
extends Node
## A character's mouth: says lines, plays their sound, and knows what belongs to the sample that is heard.
##
## [NpcFace], [NpcPortrait] and [NpcSubtitles] show what it says. Put it under the character; where its parent is a
## Node2D or Node3D the sound comes from there.

## A line has begun to sound.
signal line_started(line: String)
## A word begins to sound: its text, and where it stands in the line's text.
signal word(word: Dictionary)
## A mark of the text's markup is reached.
signal mark(name: String)
## A line is over and the face at rest: "end", "cancelled", or the code of an error.
signal line_ended(line: String, how: String)
## A line was cut: its text up to the last word that was heard whole, for a dialogue's history.
signal interrupted(line: String, heard: String)
## A line went wrong: code and text of the engine's error.
signal failed(line: String, code: String, text: String)

enum Turn { WAIT, REPLACE, BESIDE }

const Output := preload("play/output.gd")
const Playback := preload("play/playback.gd")
const Speech := preload("play/speech.gd")
const Messages := preload("wire/messages.gd")

const RATE := 24_000
const LOW := 1_200  ## Frames of silence kept ahead where nothing has come: 50 ms, more than a frame of a slow game.
## Frames with which a line begins to sound: 80 ms, so that a network that trembles does not tear it.
const PREFILL := 1_920
const IDLE_CREDIT_MS := 200  ## What is ahead of an idle line is lost when the character begins to speak.
const TURNS: Array[String] = ["wait", "replace", "beside"]

## The connection; without one, the first in the tree.
@export var engine: NpcEngine
## A character of the engine's cast.
@export var npc := ""
## Another voice than the character's, or without a character the voice.
@export var voice := ""
## Another face than the character's.
@export var face_name := ""
## serious, lively or cartoon; "" is the character's own.
@export var style := ""
@export_enum("neutral", "happy", "sad", "angry", "afraid", "surprised", "disgusted") var emotion := "neutral"
@export_range(0.0, 1.0) var strength := 1.0
## The higher is served first where the engine can't serve all at once.
@export_range(-100, 100) var priority := 0
@export_enum("exp50", "arkit52", "visemes15", "none") var coefficients := "exp50"
## Edge of the pictures in pixels, 32 to 2048; 0: none. [NpcPortrait] needs them.
@export_range(0, 2048) var picture := 0
## Ticks of 20 ms from picture to picture.
@export_range(1, 50) var picture_every := 2
## How far ahead of the heard sample the engine may send.
@export_range(100, 5000) var ahead_ms := 600
## What plays; without one, a player is made.
@export var player: Node
## The bus of a player that is made.
@export var bus := &"Master"
## What the character does when it has nothing to say: idle, listening, or "" for nothing.
@export var attitude := ""

## The coefficients that belong to the sample being heard, eased; empty before there were any.
var face := PackedFloat32Array()
## Their names.
var channels: Array = []
## The picture to show; null before there was one.
var shown_picture: Image
## The text of the line that is heard, as far as it is known; and its words.
var text := ""
var words: Array[Dictionary] = []
## Index of the word that is heard; −1 before the first.
var current_word := -1
## Whether it works in the editor, as the dock's does.
var in_editor := false

var _output: RefCounted  # an Output, or a device that a check moves by its own clock
var _speeches: Array[Speech] = []  # in the order in which they sound; the first is shown
var _refused_attitude := false


func _ready() -> void:
	if Engine.is_editor_hint() and not in_editor:
		set_process(false)
		return
	if player == null:
		player = _made_player()
		add_child(player)
	_output = Output.new(player)


func _exit_tree() -> void:
	if _output:
		_output.stop()
	for speech in _speeches:
		if _engine():
			_engine().cancel(speech.line)
	_speeches.clear()


func _made_player() -> Node:
	var made: Node
	if get_parent() is Node3D:
		made = AudioStreamPlayer3D.new()
	elif get_parent() is Node2D:
		made = AudioStreamPlayer2D.new()
	else:
		made = AudioStreamPlayer.new()
	made.bus = bus
	return made


func _engine() -> NpcEngine:
	if engine == null and is_inside_tree():
		engine = get_tree().get_first_node_in_group(NpcEngine.GROUP) as NpcEngine
	return engine


## Whether a line with sound is asked, waits or sounds.
func is_speaking() -> bool:
	return _speeches.any(func(speech: Speech) -> bool: return not speech.is_quiet and not speech.is_cut())


## Say a text, plain or SSML, and return the line's id at once.
##
## `turn`: what becomes of what the character says already: it ends first, is cut, or sounds beside. `keys`: more keys
## of PROTOCOL.md's [code]speak[/code].
func say(line_text: String, turn := Turn.WAIT, keys := {}) -> String:
	var asked := {text = line_text, turn = TURNS[turn]}
	asked.merge(keys, true)
	return _ask(asked, turn)


## Begin a line whose text is still being written: [method append] adds to it, [method commit] ends it.
func say_open(beginning := "", turn := Turn.WAIT) -> String:
	return _ask({text = beginning, open = true, turn = TURNS[turn]}, turn)


## More text of a line that was begun with [method say_open], as it comes; it may be cut anywhere.
func append(line: String, more: String) -> void:
	for speech in _speeches:
		if speech.line == line:
			speech.text += more
	if _engine():
		engine.append(line, more)


## The text or the live sound of a line is complete.
func commit(line: String) -> void:
	if _engine():
		engine.commit(line)


## Begin a line that says live sound, of a microphone or a voice chat: [method hear] brings it, [method commit] ends it.
func say_live(rate: int, denoise := false, turn := Turn.WAIT) -> String:
	return _ask({live = true, sound_rate = rate, denoise = denoise, turn = TURNS[turn]}, turn)


## More sound of a line that was begun with [method say_live]: −1…1, mono, at its rate; 10 to 40 ms at a time.
func hear(line: String, samples: PackedFloat32Array) -> void:
	if _engine():
		engine.send_sound(line, Messages.pcm16(samples))


## Live without saying anything, "idle" or "listening", until the next line; or for some seconds.
func live(how := "idle", seconds := 0.0) -> String:
	return _ask({attitude = how, lasts_ms = int(seconds * 1000), credit_ms = IDLE_CREDIT_MS}, Turn.WAIT)


## Barge in: be silent at once and say nothing of what was asked; [signal interrupted] tells what was heard.
func interrupt() -> void:
	# the last one first: none that waits may begin because the one before it is cancelled
	for i in range(len(_speeches) - 1, -1, -1):
		_cut(_speeches[i], true)
	_output.stop()


func _cut(speech: Speech, cancel: bool) -> void:
	if speech.is_cut() or _engine() == null:
		return
	engine.playhead(speech.line, speech.heard_sample())
	if cancel:
		engine.cancel(speech.line)
	speech.cut(_heard_of(speech))


func _ask(keys: Dictionary, turn: Turn) -> String:
	if _engine() == null:
		push_warning("NpcVoice '%s' finds no NpcEngine: add one to the scene, or as an autoload" % name)
		failed.emit("", NpcEngine.LOST, "there is no NpcEngine in the scene")
		return ""
	var quiet: bool = keys.get("attitude", "") != ""
	var outputs := {
		sound = not quiet,
		words = not quiet,
		coefficients = coefficients,
		picture = picture,
		picture_every = picture_every,
	}
	var asked := {
		npc = npc,
		voice = voice,
		face = face_name,
		style = style,
		emotion = emotion,
		strength = strength,
		priority = priority,
		credit_ms = ahead_ms,
		outputs = outputs,
		line = engine.new_id(),
	}
	asked.merge(keys, true)
	var ahead: int = mini(ahead_ms, asked.credit_ms) if quiet else ahead_ms
	var speech := Speech.new(asked.line, asked.get("text", ""), quiet, Playback.new(asked.credit_ms, ahead))
	if turn == Turn.REPLACE:
		for former in _speeches:
			_cut(former, false)
		_output.stop()
		speech.playback.wakes = not _speeches.is_empty()
	_speeches.append(speech)
	engine.speak(asked, _on_message.bind(speech))
	return asked.line


func _on_message(message: Dictionary, speech: Speech) -> void:
	match message.kind:
		"cancelled":
			if speech.base >= 0 and not speech.is_cut():
				speech.cut(_heard_of(speech))
				_output.stop()
			if not speech.is_quiet:
				interrupted.emit(speech.line, message.heard)
		"error":
			_refused_attitude = _refused_attitude or speech.is_quiet
			failed.emit(speech.line, message.code, message.text)
		"accepted":
			speech.accepted = true
	var wrong := speech.playback.add(message)
	if wrong:
		failed.emit(speech.line, "bad-message", wrong)


func _process(delta: float) -> void:
	if _engine() == null:
		return
	_push()
	_show(delta)
	for speech in _speeches:
		engine.credit(speech.line, speech.playback.credit_ms(_heard_of(speech)))
	if not _speeches and _output.is_playing():
		_output.stop()
	if not _speeches and attitude and engine.can("attitude") and not _refused_attitude and (npc or voice):
		live(attitude)
	elif engine.state != NpcEngine.State.CONNECTED:
		_refused_attitude = false


func _heard_of(speech: Speech) -> int:
	if speech.is_timed():
		return int(speech.time)
	return maxi(0, _output.heard() - speech.base) if speech.base >= 0 else 0


## Gives the player what has come, one line right behind the other, and silence where nothing has.
func _push() -> void:
	var last: Speech
	for speech in _speeches:
		if speech.is_timed() or speech.is_over_unbegun():
			continue
		var is_filled := speech.playback.is_over() or speech.playback.queued() >= PREFILL
		if not speech.playback.has_begun() or (speech.base < 0 and not is_filled):
			break
		var room: int = _output.room()
		if speech.base < 0:
			speech.base = _output.pushed()
		_output.push(speech.playback.sound(mini(room, speech.playback.queued())))
		last = speech
		if not speech.playback.is_given_out():
			break
	if last and not last.playback.queued():
		_push_silence(last)


func _push_silence(speech: Speech) -> void:
	var lacking: int = LOW - _output.buffered()
	if lacking > 0:
		_output.push(speech.playback.sound(lacking))


func _show(delta: float) -> void:
	while _speeches:
		var speech := _speeches[0]
		if speech.is_over_unbegun():
			_end(speech)
			continue
		if speech.is_timed():
			speech.advance(delta, _is_next_asked())
		elif speech.base < 0:
			break
		_look(speech, _heard_of(speech))
		if not speech.playback.is_finished() and not _is_next_heard():
			break
		_end(speech)
		delta = 0.0


## Whether a line that will sound is asked behind the one that is shown.
func _is_next_asked() -> bool:
	return _speeches.slice(1).any(func(speech: Speech) -> bool: return not speech.playback.is_over())


## Whether the line behind the one that is shown has begun to be heard.
func _is_next_heard() -> bool:
	for speech in _speeches.slice(1):
		if speech.is_over_unbegun():
			continue
		return speech.base >= 0 and not speech.is_timed() and _output.heard() >= speech.base
	return false


func _look(speech: Speech, heard: int) -> void:
	if not speech.started and speech.playback.has_begun():
		speech.started = true
		text = speech.text
		words = speech.playback.words
		current_word = -1
		line_started.emit(speech.line)
	var names := speech.playback.at(heard)
	if speech.playback.face:
		face = speech.playback.face
		channels = _channel_names()
	if speech.playback.picture:
		shown_picture = speech.playback.picture
	while current_word < speech.playback.word and not speech.is_cut():
		current_word += 1
		word.emit(words[current_word])
	text = speech.text
	for reached in names:
		mark.emit(reached)


func _channel_names() -> Array:
	var key := "channels" if coefficients == "exp50" else coefficients
	return engine.welcome.get(key, channels)


func _end(speech: Speech) -> void:
	_speeches.erase(speech)
	var how: String = speech.playback.over.get("kind", "cancelled")
	if speech.is_cut() and how == "end":
		how = "cancelled"  # its end has crossed the cut
	line_ended.emit(speech.line, speech.playback.over.code if how == "error" else how)
