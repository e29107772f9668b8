@tool
## One line as a game plays it: sound in order, and the face, picture and word of the sample being heard.
##
## No clock and no device in here; a port of npc_engine/playback.py. Positions count samples of what [method sound] gave
## out, silence included: the game says which of them is being heard, and goes on counting after the last, so that the
## mouth closes.
extends RefCounted

const RATE := 24_000
const TICK_SAMPLES := 480
const TICK_MS := 20
const AHEAD_MS := 600  ## How far ahead of the heard sample the engine may send: rides out half a second.
const EASE_MS := 100  ## From the last face to the neutral one.
const WAKE_MS := 40  ## And back, when sound goes on after a gap.
const FADE_SAMPLES := 120  ## 5 ms: a cut without a click.
const LEAST_CREDIT_MS := 40
const CREDIT_SHARE := 5  ## A fifth of what the engine keeps ahead is granted at once: each grant costs it a message.
const HISTORY := RATE  ## Samples that the heard position may go back.
const PER_MS := 24

## The line's words so far, as the engine sent them.
var words: Array[Dictionary] = []
## {name, start}: its marks so far.
var marks: Array[Dictionary] = []
## Samples given out, silence included.
var position := 0
## Samples of silence given out in the middle of the line, because nothing had come.
var missing := 0
## The message that ended the line: end, cancelled or error; {} before.
var over := {}
## The position at which the line was cut; −1 while it was not.
var cancelled_at := -1
## Whether the face eases in from rest, as it does after a gap.
var wakes := false

## What to show, as [method at] left it: the coefficients of the line's kind, eased.
var face := PackedFloat32Array()
## The picture, an Image or null.
var picture: Variant = null
## Index into [member words] of the last word begun; −1 before the first.
var word := -1
## 0 speaking … 1 at rest.
var closed := 0.0

var _granted_ms: int
var _ahead_ms: int
var _ease := EASE_MS * PER_MS
var _heard := 0
var _told := 0
var _received := 0  # ticks
var _end := -1  # samples of the whole line, once known
var _sound: Array[PackedVector2Array] = []
var _from := 0  # of the first piece, what was given out
var _queued := 0
var _taken := 0
var _gaps: Array[Vector2i] = []  # (position, length) of silence that is not of the line
var _shift := 0  # lengths of the gaps that are forgotten
var _faces: Array[PackedFloat32Array] = []
var _first_face := 0
var _pictures: Array[Array] = []  # [sample, image]
var _rest: Variant = null


func _init(granted_ms := AHEAD_MS, ahead_ms := AHEAD_MS) -> void:
	_granted_ms = granted_ms
	_ahead_ms = clampi(ahead_ms, LEAST_CREDIT_MS, 10_000)


## Take a message of this line; what has nothing to play is ignored. What is wrong with it, "" if nothing.
func add(message: Dictionary) -> String:
	match message.kind:
		"moment":
			return _add_moment(message)
		"words":
			words.append_array(message.words)
		"mark":
			marks.append({name = message.name, start = message.tick * TICK_SAMPLES})
		"accepted":
			_rest = message.get("image")
		"end":
			over = message
			_finish(message.ticks * TICK_SAMPLES)
		"cancelled":
			over = message
			cut()
		"error":
			if message.ends:
				over = message
				_finish(_received * TICK_SAMPLES)  # what has come is still played
	return ""


func _finish(end: int) -> void:
	_end = end
	if _gaps and _taken >= end and _gaps[-1].x + _gaps[-1].y == position:
		var gap: Vector2i = _gaps.pop_back()  # it was no gap, but the silence after the line
		if _received:
			missing -= gap.y


func _add_moment(moment: Dictionary) -> String:
	if cancelled_at >= 0:
		return ""
	if moment.tick != _received:
		return "moment of tick %d, expected %d" % [moment.tick, _received]
	var ticks: int = moment.ticks
	_received += ticks
	var samples: PackedVector2Array
	if moment.sound == null:
		samples.resize(ticks * TICK_SAMPLES)  # a line without sound plays as silence of its length
	else:
		samples = moment.sound
	_sound.append(samples)
	_queued += samples.size()
	if moment.coefficients != null:
		var values: PackedFloat32Array = moment.coefficients
		var width := values.size() / ticks
		for i in ticks:
			_faces.append(values.slice(i * width, (i + 1) * width))
	if moment.get("image") != null:
		_pictures.append([moment.picture_tick * TICK_SAMPLES, moment.image])
	return ""


## Samples that have come and were not given out.
func queued() -> int:
	return _queued


## Whether all of the line's sound was given out, and no more will come.
func is_given_out() -> bool:
	return _queued == 0 and (cancelled_at >= 0 or (_end >= 0 and _taken >= _end))


## Whether its first moment has come.
func has_begun() -> bool:
	return _received > 0


## Whether it has come to an end, or will end at what has come.
func is_over() -> bool:
	return _end >= 0 or cancelled_at >= 0


## The next samples for the sound device, 24 kHz; silence where nothing has come yet or nothing is left.
func sound(samples: int) -> PackedVector2Array:
	var out := PackedVector2Array()
	var done := 0
	while done < samples and _sound:
		var piece := _sound[0]
		var n := mini(samples - done, piece.size() - _from)
		out.append_array(piece.slice(_from, _from + n))
		done += n
		_from += n
		if _from == piece.size():
			_sound.pop_front()
			_from = 0
	_queued -= done
	if done < samples:
		out.resize(samples)
		if cancelled_at < 0 and (_end < 0 or _taken + done < _end):
			_add_gap(position + done, samples - done)
			if _received:
				missing += samples - done
	_taken += done
	position += samples
	return out


func _add_gap(start: int, length: int) -> void:
	if _gaps and _gaps[-1].x + _gaps[-1].y == start:
		_gaps[-1].y += length
	else:
		_gaps.append(Vector2i(start, length))


## Stop here: silence after a 5 ms fade; the face eases from position `heard` on (−1: the last one known).
func cut(heard := -1) -> void:
	if cancelled_at >= 0:
		return
	cancelled_at = _heard if heard < 0 else heard
	var rest := PackedVector2Array()
	if _sound:
		rest = _sound[0].slice(_from, mini(_from + FADE_SAMPLES, _sound[0].size()))
	for i in rest.size():
		rest[i] *= 1.0 - float(i) / rest.size()
	_sound.clear()
	_from = 0
	_queued = rest.size()
	if _queued:
		_sound.append(rest)


## Put what belongs to the sample at position `heard` into the properties; returns the names of the marks reached since.
##
## Positions may go back by no more than a second.
func at(heard: int) -> Array[String]:
	_heard = maxi(_heard, heard)
	var sample := _sample(heard)
	_forget(sample)
	closed = _closed(heard)
	_show_face(sample, 1.0 - closed)
	picture = null
	for entry in _pictures:
		if entry[0] <= sample:
			picture = entry[1]
	if picture == null or (closed >= 0.5 and _rest != null):
		picture = _rest
	while word + 1 < len(words) and words[word + 1].start <= sample and has_begun():
		word += 1
	return _reached(sample)


func _reached(sample: int) -> Array[String]:
	var names: Array[String] = []
	var last := mini(sample, _received * TICK_SAMPLES - 1)  # a sample that has not come is not heard
	while _told < len(marks) and marks[_told].start <= last:
		names.append(marks[_told].name)
		_told += 1
	return names


## Milliseconds to grant now, so that the engine may send so far beyond `heard`; counts them as granted. 0: none due.
func credit_ms(heard: int) -> int:
	if is_over():
		return 0
	var due := (_sample(heard) / PER_MS + _ahead_ms - _granted_ms) / TICK_MS * TICK_MS
	if due < maxi(LEAST_CREDIT_MS, _ahead_ms / CREDIT_SHARE):
		return 0
	_granted_ms += due
	return due


## The sample of the line that is heard, as [method at] was last told.
func heard_sample() -> int:
	return mini(_sample(_heard), _received * TICK_SAMPLES)


## Milliseconds of the line that have come.
func received_ms() -> int:
	return _received * TICK_MS


## Whether the line was heard to its end or cut, and the face has come to rest; [method at] moves it there.
func is_finished() -> bool:
	return is_over() and _over(_heard) >= _ease


# Positions to samples of the line.


## The sample of the line that sounds at a position; stands still in gaps and after a cut.
func _sample(heard: int) -> int:
	if cancelled_at >= 0:
		heard = mini(heard, cancelled_at)
	var silent := _shift
	for gap in _gaps:
		if gap.x < heard:
			silent += mini(gap.y, heard - gap.x)
	return maxi(0, heard - silent)


func _over(heard: int) -> int:
	if cancelled_at >= 0:
		return heard - cancelled_at
	return _sample(heard) - _end if _end >= 0 else 0


func _closed(heard: int) -> float:
	var result := clampf(float(_over(heard)) / _ease, 0.0, 1.0)
	if cancelled_at >= 0:
		heard = mini(heard, cancelled_at)
	if wakes:
		result = maxf(result, 1.0 - heard / float(WAKE_MS * PER_MS))
	for gap in _gaps:
		if gap.x < heard:
			var hush := minf(1.0, float(mini(gap.y, heard - gap.x)) / _ease)
			var woken := maxi(0, heard - gap.x - gap.y) / float(WAKE_MS * PER_MS)
			result = maxf(result, hush - woken)
	return result


func _show_face(sample: int, open: float) -> void:
	if not _faces:
		return
	var last := len(_faces) - 1
	var now := clampi(sample / TICK_SAMPLES - _first_face, 0, last)
	var a := _faces[now]
	var b := _faces[mini(now + 1, last)]
	var share := (sample % TICK_SAMPLES) / float(TICK_SAMPLES)
	face.resize(a.size())
	for i in a.size():
		face[i] = lerpf(a[i], b[i], share) * open


func _forget(sample: int) -> void:
	var oldest := (sample - HISTORY) / TICK_SAMPLES
	while len(_faces) > 1 and _first_face < oldest:
		_faces.pop_front()
		_first_face += 1
	while len(_pictures) > 1 and _pictures[1][0] <= sample - HISTORY:
		_pictures.pop_front()
	while _gaps and _gaps[0].x + _gaps[0].y < _heard - HISTORY:
		_shift += _gaps.pop_front().y
