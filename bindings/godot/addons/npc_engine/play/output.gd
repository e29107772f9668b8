@tool
## An AudioStreamPlayer, 2D or 3D, that plays what it is given, and the sample of it that is heard.
##
## The generator runs at the engine's 24 kHz; Godot's mixer brings that to the device's rate.
extends RefCounted

const Clock := preload("clock.gd")

const RATE := 24_000
const BUFFER_S := 0.5  ## A main thread that stands still so long does not tear a line.
const LATENCY_MS := 1_000  ## Asking for the device's latency is dear: once a second.

var _player: Node
var _generator := AudioStreamGenerator.new()
var _playback: AudioStreamGeneratorPlayback
var _capacity := 0
var _clock := Clock.new()
var _latency_s := 0.0
var _asked_ms := -LATENCY_MS


## `player`: an AudioStreamPlayer, AudioStreamPlayer2D or AudioStreamPlayer3D.
func _init(player: Node) -> void:
	_player = player
	_generator.mix_rate = RATE
	_generator.buffer_length = BUFFER_S
	_player.stream = _generator


## Whether it plays.
func is_playing() -> bool:
	return _playback != null


## Frames given to it since it began.
func pushed() -> int:
	return _clock.pushed


## Frames that it can take; begins to play.
func room() -> int:
	if _playback == null:
		_player.play()
		_playback = _player.get_stream_playback()
		_capacity = _playback.get_frames_available()
		_clock.reset()
	return _playback.get_frames_available()


## Frames that it has and that the mixer has not taken.
func buffered() -> int:
	return _capacity - _playback.get_frames_available() if _playback else 0


## Give it frames, no more than it has room for.
func push(frames: PackedVector2Array) -> void:
	if frames and _playback.push_buffer(frames):
		_clock.pushed += frames.size()


## Which frame of those given to it is heard.
func heard() -> int:
	if _playback == null:
		return 0
	if not _player.playing:  # its node has left the tree for a while, or the game has stopped it
		_player.play()
		_playback = _player.get_stream_playback()
	var now := Time.get_ticks_msec()
	if now - _asked_ms >= LATENCY_MS:
		_asked_ms = now
		# some drivers tell none: then it is the mixer's own block
		var block_s: float = ProjectSettings.get_setting("audio/driver/output_latency", 15) / 1000.0
		_latency_s = maxf(AudioServer.get_output_latency(), block_s)
	return _clock.heard(buffered(), AudioServer.get_time_since_last_mix(), _latency_s)


## Be silent at once and forget what was not played.
func stop() -> void:
	if _playback:
		_player.stop()
		_playback = null
		_clock.reset()
