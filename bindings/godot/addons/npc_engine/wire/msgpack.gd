@tool
## msgpack as the wire of npc_engine uses it: maps, lists, strings, whole numbers, floats, truth values and null.
##
## No extension types. No I/O. The format: https://github.com/msgpack/msgpack/blob/master/spec.md
extends RefCounted

const ITEMS := 4096  ## Entries that one map or list may have.
const DEPTH := 16  ## Maps and lists that may stand in one another.

## What was wrong with the bytes that [method value] read; "" while nothing was.
var error := ""
## Where in the bytes the last value ended.
var at := 0

var _bytes: PackedByteArray


func _init(bytes: PackedByteArray) -> void:
	_bytes = bytes


## The bytes of a value, each part in its shortest form; floats have 64 bits.
static func write(value: Variant) -> PackedByteArray:
	var out := StreamPeerBuffer.new()
	out.big_endian = true
	_put(out, value)
	return out.data_array


static func _put(out: StreamPeerBuffer, value: Variant) -> void:
	match typeof(value):
		TYPE_BOOL:
			out.put_u8(0xc3 if value else 0xc2)
		TYPE_INT:
			_put_whole(out, value)
		TYPE_FLOAT:
			out.put_u8(0xcb)
			out.put_double(value)
		TYPE_STRING, TYPE_STRING_NAME:
			_put_text(out, value)
		TYPE_ARRAY:
			_put_size(out, len(value), 0x90, 0xdc)
			for item: Variant in value:
				_put(out, item)
		TYPE_DICTIONARY:
			_put_size(out, len(value), 0x80, 0xde)
			for key: String in value:
				_put_text(out, key)
				_put(out, value[key])
		_:
			out.put_u8(0xc0)


static func _put_whole(out: StreamPeerBuffer, n: int) -> void:
	if n >= -32 and n < 0x80:
		out.put_8(n)
	elif n >= 0:
		if n < 0x100:
			out.put_u8(0xcc)
			out.put_u8(n)
		elif n < 0x10000:
			out.put_u8(0xcd)
			out.put_u16(n)
		elif n < 0x100000000:
			out.put_u8(0xce)
			out.put_u32(n)
		else:
			out.put_u8(0xcf)
			out.put_u64(n)
	elif n >= -0x80:
		out.put_u8(0xd0)
		out.put_8(n)
	elif n >= -0x8000:
		out.put_u8(0xd1)
		out.put_16(n)
	elif n >= -0x80000000:
		out.put_u8(0xd2)
		out.put_32(n)
	else:
		out.put_u8(0xd3)
		out.put_64(n)


static func _put_text(out: StreamPeerBuffer, text: String) -> void:
	var bytes := text.to_utf8_buffer()
	if bytes.size() < 32:
		out.put_u8(0xa0 | bytes.size())
	elif bytes.size() < 0x100:
		out.put_u8(0xd9)
		out.put_u8(bytes.size())
	else:
		_put_size(out, bytes.size(), -1, 0xda)
	if not bytes.is_empty():
		out.put_data(bytes)


static func _put_size(out: StreamPeerBuffer, size: int, small: int, lead: int) -> void:
	if small >= 0 and size < 16:
		out.put_u8(small | size)
	elif size < 0x10000:
		out.put_u8(lead)
		out.put_u16(size)
	else:
		out.put_u8(lead + 1)
		out.put_u32(size)


## The next value; [code]null[/code] with [member error] set where the bytes are no msgpack, or beyond the limits.
func value(depth := 0) -> Variant:
	var lead := _number(1)
	if error:
		return null
	if lead < 0x80:
		return lead
	if lead >= 0xe0:
		return lead - 0x100
	if lead < 0x90:
		return _map(lead & 15, depth)
	if lead < 0xa0:
		return _list(lead & 15, depth)
	if lead < 0xc0:
		return _text(lead & 31)
	return _long(lead, depth)


func _long(lead: int, depth: int) -> Variant:
	match lead:
		0xc0:
			return null
		0xc2:
			return false
		0xc3:
			return true
		0xc4, 0xc5, 0xc6:
			return _part(_number(1 << (lead - 0xc4)))
		0xca, 0xcb:
			return _float(4 if lead == 0xca else 8)
		0xcc, 0xcd, 0xce, 0xcf:
			return _number(1 << (lead - 0xcc))
		0xd0, 0xd1, 0xd2, 0xd3:
			var size := 1 << (lead - 0xd0)
			var shift := 64 - 8 * size
			return (_number(size) << shift) >> shift
		0xd9, 0xda, 0xdb:
			return _text(_number(1 << (lead - 0xd9)))
		0xdc, 0xdd:
			return _list(_number(2 << (lead - 0xdc)), depth)
		0xde, 0xdf:
			return _map(_number(2 << (lead - 0xde)), depth)
	error = "a byte 0x%x, expected no extension and nothing reserved" % lead
	return null


## A whole number of so many bytes; 64 bits that are 2^63 or more come out negative, which no rule of the wire allows.
func _number(size: int) -> int:
	if not _has(size):
		return 0
	var number := 0
	for i in size:
		number = (number << 8) | _bytes[at + i]
	at += size
	return number


func _float(size: int) -> float:
	var part := _part(size)
	if error:
		return 0.0
	part.reverse()  # decode_* read the lowest byte first
	return part.decode_float(0) if size == 4 else part.decode_double(0)


func _has(size: int) -> bool:
	if not error and size > _bytes.size() - at:
		error = "it ends too early"
	return not error


func _part(size: int) -> PackedByteArray:
	if not _has(size):
		return PackedByteArray()
	at += size
	return _bytes.slice(at - size, at)


func _text(size: int) -> String:
	var part := _part(size)
	if not error and not is_utf8(part):
		error = "a string that is not UTF-8"
	return "" if error else part.get_string_from_utf8()


func _list(count: int, depth: int) -> Array:
	var list := []
	if _enter(count, depth):
		for _i in count:
			list.append(value(depth + 1))
			if error:
				break
	return list


func _map(count: int, depth: int) -> Dictionary:
	var map := {}
	if _enter(count, depth):
		for _i in count:
			var key: Variant = value(depth + 1)
			if not error and typeof(key) != TYPE_STRING:
				error = "a map's key that is no string"
			if error:
				break
			map[key] = value(depth + 1)
	return map


func _enter(count: int, depth: int) -> bool:
	if error:
		return false
	if depth >= DEPTH:
		error = "nested too deep, expected at most %d levels" % DEPTH
	elif count > ITEMS:
		error = "%d entries, expected at most %d" % [count, ITEMS]
	elif count > _bytes.size() - at:
		error = "it ends too early"
	return not error


## Whether bytes are UTF-8 (RFC 3629): no overlong forms, no surrogates. Godot's own reader would print errors.
static func is_utf8(bytes: PackedByteArray) -> bool:
	var i := 0
	var size := bytes.size()
	while i < size:
		var lead := bytes[i]
		i += 1
		if lead < 0x80:
			continue
		var more := 1 if lead < 0xe0 else (2 if lead < 0xf0 else 3)
		if lead < 0xc2 or lead > 0xf4 or i + more > size:
			return false
		var second := bytes[i]
		var low := 0xa0 if lead == 0xe0 else (0x90 if lead == 0xf0 else 0x80)
		var high := 0x9f if lead == 0xed else (0x8f if lead == 0xf4 else 0xbf)
		if second < low or second > high:
			return false
		for k in range(1, more):
			if bytes[i + k] & 0xc0 != 0x80:
				return false
		i += more
	return true
