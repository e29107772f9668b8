@tool
## Which sample of what an AudioStreamGenerator was given is being heard now.
##
## As in Godot's guide "Sync the gameplay with audio and music": what the mixer has taken, less the device's latency,
## plus the time since it last mixed. Counted in whole samples, so that hours of play don't drift.
extends RefCounted

const RATE := 24_000
const CHUNK := 128  ## Godot's mixer takes frames of a generator so many at a time: on average half of them are unheard.
const MOST_SINCE_MIX_S := 0.1  ## A device mixes at least ten times a second; more is a device that stands still.

## Frames given to the generator.
var pushed := 0

var _heard := 0


## The frame that is heard; never goes back, never beyond what the mixer took.
##
## `buffered`: frames that are still in the generator; `since_mix_s` and `latency_s` as AudioServer tells them.
func heard(buffered: int, since_mix_s: float, latency_s: float) -> int:
	var mixed := pushed - buffered
	var since := clampf(since_mix_s, 0.0, MOST_SINCE_MIX_S)
	var now := mixed + int((since - latency_s) * RATE) - CHUNK / 2
	_heard = clampi(now, _heard, maxi(mixed, _heard))
	return _heard


## Count from 0 again: the generator was emptied.
func reset() -> void:
	pushed = 0
	_heard = 0
