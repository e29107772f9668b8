@tool
@icon("icons/npc_microphone.svg")
class_name NpcMicrophone
extends Node
## Lets a character say what a microphone, or any bus of the game, hears: from [method begin] to [method end].
##
## The bus has an AudioEffectCapture. For a microphone, play an AudioStreamMicrophone on it and switch on the project
## setting audio/driver/enable_input.

const MOST_RATE := 48_000
const PIECE_S := 0.04  ## Sent at a time.

## Who says it; without one, a sibling or the parent.
@export var voice: NpcVoice
## The bus that is listened to.
@export var bus := &"Record"
## Have the engine take noise out of it.
@export var denoise := true

var _capture: AudioEffectCapture
var _line := ""
var _step := 1  # frames of the bus that become one sample


func _ready() -> void:
	if voice == null and get_parent() is NpcVoice:
		voice = get_parent()
	for node in get_parent().get_children():
		if voice == null and node is NpcVoice:
			voice = node
	set_process(false)


## Begin; the line's id, or "" where the bus can't be listened to, with a warning that says why.
func begin(turn := NpcVoice.Turn.REPLACE) -> String:
	_capture = capture_of(bus)
	if _capture == null or voice == null:
		push_warning("NpcMicrophone '%s': no voice, or no AudioEffectCapture on a bus '%s'" % [name, bus])
		return ""
	_capture.clear_buffer()
	_step = ceili(AudioServer.get_mix_rate() / MOST_RATE)
	_line = voice.say_live(int(AudioServer.get_mix_rate() / _step), denoise, turn)
	set_process(_line != "")
	return _line


## The button was let go: what was heard is said to its end.
func end() -> void:
	if _line:
		_send(0)
		voice.commit(_line)
	_line = ""
	set_process(false)


## The first AudioEffectCapture of a bus; null where there is none.
static func capture_of(bus_name: StringName) -> AudioEffectCapture:
	var index := AudioServer.get_bus_index(bus_name)
	if index >= 0:
		for i in AudioServer.get_bus_effect_count(index):
			var effect := AudioServer.get_bus_effect(index, i)
			if effect is AudioEffectCapture:
				return effect
	return null


func _process(_delta: float) -> void:
	_send(int(PIECE_S * AudioServer.get_mix_rate()))


## Sends what was captured, if it is so many frames.
func _send(least: int) -> void:
	var count := _capture.get_frames_available()
	if count < maxi(least, _step):
		return
	var frames := _capture.get_buffer(count / _step * _step)
	var samples := PackedFloat32Array()
	samples.resize(frames.size() / _step)
	for i in samples.size():
		var sum := 0.0
		for k in _step:
			sum += frames[i * _step + k].x + frames[i * _step + k].y
		samples[i] = sum / (2 * _step)
	voice.hear(_line, samples)
