## The playing of a line against a device and a network that are simulated, so that every sample's time is known.
##
## Output rates of 44.1 and 48 kHz, 30, 60 and 144 frames a second with jitter, a main thread that stands still for
## 300 ms: how far the shown coefficients lag behind the heard sample, and when the mouth is shut after an end or a cut.
extends SceneTree

const Clock := preload("res://addons/npc_engine/play/clock.gd")

const RATE := 24_000
const LINE_TICKS := 200
const STEP := 0.002  ## What one tick adds to the coefficient, so that its value tells the sample that is shown.
const BLOCK := 512  ## Frames that a device asks for at a time: Godot's default at 15 ms.
const OUTPUT_LATENCY_BLOCKS := 3

var _wrong: Array[String] = []
var _figures: Array[Dictionary] = []


## An audio device that takes blocks from a buffer, by a clock that is given.
class Device:
	var rate: int
	var buffer := 16_383
	var now := 0.0
	var clock := Clock.new()
	var _playing := false
	var _next_mix := 0.0
	var _last_mix := 0.0
	var _taken := 0  # by the mixer, in chunks
	var _mixed := 0.0  # source frames that have become output
	var _segments: Array[Array] = []  # [time, source frame, source frames]

	func latency() -> float:
		return OUTPUT_LATENCY_BLOCKS * BLOCK / float(rate)

	func is_playing() -> bool:
		return _playing

	func pushed() -> int:
		return clock.pushed

	func room() -> int:
		_playing = true
		return buffer - buffered()

	func buffered() -> int:
		return clock.pushed - _taken

	func push(frames: PackedVector2Array) -> void:
		assert(frames.size() <= room())
		clock.pushed += frames.size()

	func heard() -> int:
		return clock.heard(buffered(), now - _last_mix, latency())

	func stop() -> void:
		_playing = false
		clock.reset()
		_taken = 0
		_mixed = 0.0
		_segments.clear()

	func advance(time: float) -> void:
		var block := BLOCK / float(rate)
		while _next_mix <= time:
			_last_mix = _next_mix
			_next_mix += block
			if not _playing:
				continue
			var count := minf(BLOCK * RATE / float(rate), clock.pushed - _mixed)
			_segments.append([_last_mix + latency() - block, _mixed, count])
			_mixed += count
			var chunks := ceili(_mixed / Clock.CHUNK) * Clock.CHUNK
			_taken = mini(chunks, clock.pushed)
		now = time

	## The source frame that comes out of the loudspeaker at this moment; −1 for none.
	func truth() -> float:
		for i in range(len(_segments) - 1, -1, -1):
			var into: float = (now - _segments[i][0]) * RATE
			if into >= 0.0:
				return _segments[i][1] + into if into < _segments[i][2] else -1.0
		return -1.0

	## When the source frame came out of the loudspeaker; −1 while it has not.
	func time_of(frame: float) -> float:
		for segment in _segments:
			if frame <= segment[1] + segment[2] and now >= segment[0] + (frame - segment[1]) / RATE:
				return segment[0] + (frame - segment[1]) / RATE
		return -1.0


## An engine whose messages come after a while, as far as credit goes.
class Village:
	extends NpcEngine
	var now := 0.0
	var handler: Callable
	var line := ""
	var credit_given := 0
	var sent := 0
	var waiting: Array[Array] = []  # [time, message]
	var random := RandomNumberGenerator.new()

	func _process(_delta: float) -> void:
		pass

	func speak(keys: Dictionary, given := Callable()) -> String:
		state = State.CONNECTED
		handler = given
		line = keys.line
		credit_given = keys.credit_ms
		waiting.append([now + 0.01, {kind = "accepted", line = line, picture = null, place = 0}])
		return line

	func credit(_line: String, ms: int) -> void:
		credit_given += ms

	func playhead(_line: String, _sample: int) -> void:
		pass

	func cancel(_line: String) -> void:
		waiting = [
			[now + 0.02, {kind = "cancelled", line = line, ticks = sent, reason = "", heard = "", heard_chars = 0}]
		]
		sent = LINE_TICKS

	func advance(time: float) -> void:
		now = time
		while sent < LINE_TICKS and credit_given >= 20 * (sent + 2):
			var last: float = waiting[-1][0] if waiting else 0.0
			waiting.append([maxf(last, now + random.randf_range(0.005, 0.04)), moment(sent)])
			sent += 2
			if sent == LINE_TICKS:
				waiting.append([waiting[-1][0], {kind = "end", line = line, ticks = sent}])
		while waiting and waiting[0][0] <= now:
			handler.call(waiting.pop_front()[1])

	func moment(tick: int) -> Dictionary:
		var sound := PackedVector2Array()
		sound.resize(960)
		var coefficients := PackedFloat32Array()
		coefficients.resize(100)
		coefficients[0] = 0.5 + STEP * tick
		coefficients[50] = 0.5 + STEP * (tick + 1)
		return {
			kind = "moment",
			line = line,
			tick = tick,
			ticks = 2,
			picture_tick = null,
			sound = sound,
			coefficients = coefficients,
			picture = null,
		}


func _initialize() -> void:
	await process_frame
	for rate: int in [44_100, 48_000]:
		for frames: int in [30, 60, 144]:
			for cuts: bool in [false, true]:
				_play(rate, frames, cuts)
	print("RESULT ", JSON.stringify({wrong = _wrong, figures = _figures}))
	quit(1 if _wrong else 0)


func _play(rate: int, frames: int, cuts: bool) -> void:
	var name := "%d Hz, %d frames a second, %s" % [rate, frames, "cut" if cuts else "to its end"]
	var random := RandomNumberGenerator.new()
	random.seed = hash(name)
	var device := Device.new()
	device.rate = rate
	var engine := Village.new()
	engine.autoconnect = false
	engine.random.seed = random.seed
	root.add_child(engine)
	var voice := NpcVoice.new()
	voice.engine = engine
	voice.voice = "tone"
	root.add_child(voice)
	voice.set_process(false)
	voice._output = device
	voice.say("a line")
	var lags: Array[float] = []
	var over_at := -1.0
	var shut_at := -1.0
	var time := 0.0
	var stalled := false
	while time < 8.0 and shut_at < 0.0:
		var delta := random.randf_range(0.7, 1.3) / frames
		if not stalled and time > 1.5:
			stalled = true
			delta = 0.3
		var cut := cuts and time > 2.5 and over_at < 0.0
		# the network and the device go on while the main thread stands still
		for _i in int(delta / 0.002):
			time += 0.002
			device.advance(time)
		engine.advance(time)
		if cut:
			over_at = time
			voice.interrupt()
		voice._process(delta)
		var truth := device.truth()
		if over_at < 0.0 and voice.face and truth > 0.0:
			var playback: RefCounted = voice._speeches[0].playback
			var sample: int = playback._sample(int(truth))  # silence of gaps is not of the line
			# at its beginning and end the shown sample is held, in gaps the face eases
			if sample > 960 and sample < 480 * (LINE_TICKS - 2) and playback.closed == 0.0:
				lags.append((sample - (voice.face[0] - 0.5) / STEP * 480.0) / 24.0)
		if not cuts and over_at < 0.0:
			over_at = device.time_of(480.0 * LINE_TICKS)
		if over_at >= 0.0 and voice.face[0] < 0.01:
			shut_at = time
	lags.sort()
	var shut_ms := (shut_at - over_at) * 1000.0
	_figures.append(
		{name = name, lag_ms = [lags[0], lags[len(lags) / 2], lags[-1]], shut_ms = shut_ms, frames = len(lags)}
	)
	if lags[0] < -10.0 or lags[-1] > 20.0:
		_wrong.append("%s: lags of %.1f to %.1f ms, expected -10 to 20" % [name, lags[0], lags[-1]])
	if shut_at < 0.0 or shut_ms > 150.0:
		_wrong.append("%s: the mouth is shut after %.0f ms, expected 150" % [name, shut_ms])
	voice.free()
	engine.free()
