@tool
## The keys of every message of PROTOCOL.md, version 1, as tables: what a key may hold and what it is when left out.
##
## The order of kinds and keys is that of PROTOCOL.md; messages are written in it.
extends RefCounted

enum Form { TEXT, WHOLE, TRUTH, REAL, LIST, MAP, PAYLOAD }

const MOST := 1 << 53  ## Whole numbers that a double can hold.
const HEADER_BYTES := 262_144
const PAYLOAD_BYTES := 33_554_432
const TEXT_CHARS := 20_000  ## Characters of a line's text.
const PAYLOADS: Array[String] = ["sound", "coefficients", "picture"]  ## In the order of their frames.
const WIDTHS: Array[int] = [15, 50, 52]  ## Coefficients of one tick: visemes15, exp50, arkit52.
const TICK_SAMPLES := 480  ## 20 ms at 24 kHz.
const WIRE_VERSION := 1

const EMOTIONS: Array[String] = ["neutral", "happy", "sad", "angry", "afraid", "surprised", "disgusted"]
const STYLES: Array[String] = ["", "serious", "lively", "cartoon"]
const ATTITUDES: Array[String] = ["", "idle", "listening"]
const TURNS: Array[String] = ["wait", "replace", "beside"]
const COEFFICIENTS: Array[String] = ["exp50", "arkit52", "visemes15", "none"]
const PICTURE_FORMATS: Array[String] = ["", "jpeg", "png", "webp"]

## What an engine says: kind → key → rule.
static var replies := _replies()
## What a game says.
static var requests := _requests()


static func _text(high: int, low := 0, by_default: Variant = null) -> Dictionary:
	return {form = Form.TEXT, low = low, high = high, by_default = by_default}


static func _name() -> Dictionary:
	return _text(64, 0, "")


static func _id() -> Dictionary:
	return _text(64, 1)


static func _whole(low: int, high: int, by_default: Variant = null) -> Dictionary:
	return {form = Form.WHOLE, low = low, high = high, by_default = by_default}


static func _count() -> Dictionary:
	return _whole(0, MOST, 0)


static func _real(low: float, high: float, by_default: float) -> Dictionary:
	return {form = Form.REAL, low = low, high = high, by_default = by_default}


static func _truth(by_default: bool) -> Dictionary:
	return {form = Form.TRUTH, by_default = by_default}


static func _list(item: Dictionary, by_default: Variant = []) -> Dictionary:
	return {form = Form.LIST, item = item, by_default = by_default}


static func _map(fields: Dictionary, by_default: Variant = null) -> Dictionary:
	return {form = Form.MAP, fields = fields, by_default = by_default}


static func _payload() -> Dictionary:
	return {form = Form.PAYLOAD}


static func _replies() -> Dictionary:
	var stats := {}
	for key: String in [
		"lines",
		"waiting",
		"queued_ms",
		"sent_ms",
		"pictures",
		"thinned",
		"shrunk",
		"damped",
		"refused",
		"first_moment_ms",
		"engine_lines",
		"load_percent",
	]:
		stats[key] = _count()
	return {
		welcome =
		{
			version = _whole(0, MOST),
			engine = _text(64),
			channels = _list(_id(), null),
			capabilities = _list(_id(), null),
			sample_rate = _whole(1, MOST),
			tick_ms = _whole(1, MOST),
			open_lines = _whole(1, MOST),
			text_chars = _whole(1, MOST),
			credit_cap_ms = _whole(1, MOST),
			arkit52 = _list(_id()),
			visemes15 = _list(_id()),
		},
		accepted = {line = _id(), picture = _payload(), place = _count()},
		words =
		{
			line = _id(),
			words =
			_list(
				_map(
					{
						text = _text(2000),
						start = _whole(0, MOST),
						end = _whole(0, MOST),
						first = _whole(0, MOST),
						last = _whole(0, MOST),
					}
				)
			),
		},
		mark = {line = _id(), name = _text(2000), tick = _whole(0, MOST)},
		moment =
		{
			line = _id(),
			tick = _whole(0, MOST),
			ticks = _whole(1, 4096),
			picture_tick = {form = Form.WHOLE, low = 0, high = MOST, by_default = null, may_lack = true},
			sound = _payload(),
			coefficients = _payload(),
			picture = _payload(),
		},
		end = {line = _id(), ticks = _whole(0, MOST)},
		cancelled =
		{
			line = _id(),
			ticks = _whole(0, MOST),
			reason = _text(2000, 0, ""),
			heard = _text(TEXT_CHARS, 0, ""),
			heard_chars = _whole(0, TEXT_CHARS, 0),
		},
		error =
		{
			code = _id(),
			text = _text(2000),
			line = _name(),
			ends = _truth(true),
			id = _name(),
			wait_ms = _whole(0, 86_400_000, 0),
		},
		pong = {mark = _count()},
		warmed = {id = _id(), npc = _name(), voice = _name(), text_chars = _count(), ms = _count()},
		npcs =
		{
			npcs =
			_list(
				_map(
					{
						name = _text(64),
						voice = _name(),
						face = _name(),
						about = _text(2000, 0, ""),
					}
				)
			),
			voices = _list(_text(64)),
			faces = _list(_text(64)),
		},
		stats = stats,
	}


static func _requests() -> Dictionary:
	return {
		hello = {version = _whole(0, MOST), client = _name()},
		speak =
		{
			line = _id(),
			text = _text(HEADER_BYTES),
			npc = _name(),
			voice = _name(),
			face = _name(),
			style = _name(),
			emotion = _text(64, 0, "neutral"),
			priority = _whole(-100, 100, 0),
			credit_ms = _whole(0, 10_000, 600),
			outputs =
			_map(
				{
					sound = _truth(true),
					coefficients = _text(2000, 0, "exp50"),
					words = _truth(true),
					picture = _count(),
					picture_every = _whole(0, MOST, 2),
					picture_format = _text(2000, 0, ""),
					thin = _truth(true),
				},
				{}
			),
			strength = _real(0.0, 1.0, 1.0),
			open = _truth(false),
			attitude = _name(),
			lasts_ms = _whole(0, 86_400_000, 0),
			turn = _text(64, 0, "wait"),
			deadline_ms = _whole(0, 600_000, 0),
			live = _truth(false),
			sound_rate = _whole(8_000, 48_000, 24_000),
			denoise = _truth(false),
		},
		append = {line = _id(), text = _text(HEADER_BYTES)},
		sound = {line = _id(), sound = _payload()},
		commit = {line = _id()},
		credit = {line = _id(), ms = _whole(1, 10_000)},
		playhead = {line = _id(), sample = _whole(0, MOST)},
		cancel = {line = _name(), npc = _name(), all = _truth(false)},
		warm =
		{
			id = _id(),
			text = _text(HEADER_BYTES, 0, ""),
			npc = _name(),
			voice = _name(),
			style = _name(),
			emotion = _text(64, 0, "neutral"),
			strength = _real(0.0, 1.0, 1.0),
		},
		ping = {mark = _count()},
		list = {},
		report = {},
	}
