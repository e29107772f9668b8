@tool
## One line of a voice: what it says, how it plays, and where in the player's sound it begins.
extends RefCounted

const Playback := preload("playback.gd")

const RATE := 24_000

var line: String
var text: String
## Whether it has no sound: it plays by the game's clock.
var is_quiet: bool
var playback: Playback
## The frame of the player at which it begins; −1 before.
var base := -1
var accepted := false
var started := false
## Samples by the game's clock, for lines without sound and those that were cut.
var time := 0.0


func _init(id: String, line_text: String, quiet: bool, line_playback: Playback) -> void:
	line = id
	text = line_text
	is_quiet = quiet
	playback = line_playback


## Whether it was cut.
func is_cut() -> bool:
	return playback.cancelled_at >= 0


## Whether the game's clock moves it, not the player.
func is_timed() -> bool:
	return is_quiet or is_cut()


## Whether it was refused, or cut before anything came.
func is_over_unbegun() -> bool:
	return playback.is_over() and not playback.has_begun()


## The sample of it that was heard last.
func heard_sample() -> int:
	return playback.heard_sample()


## Cut it at a position.
func cut(heard: int) -> void:
	time = heard
	playback.cut(heard)


## Move it by the game's clock; it waits where nothing has come and, with `holds`, at its last face: the character's
## next line begins with that.
func advance(delta: float, holds: bool) -> void:
	time += delta * RATE
	if not is_cut() and (holds or not playback.is_over()):
		time = minf(time, playback.received_ms() * RATE / 1000.0)
	playback.sound(maxi(0, int(time) - playback.position))
