@tool
@icon("icons/npc_face.svg")
class_name NpcFace
extends Node
## Moves the blend shapes of a head, and if you like its head and eye bones, as a [NpcVoice] speaks.
##
## Shapes are found by ARKit's names, with any prefix that ends in a dot or is one of [member prefixes], in any case,
## and with _L and _R for Left and Right.

const FULL_LOOK := PI / 6  ## Radians that an eye has turned when its eyeLook shape is 1.

## ARKit's eight shapes that exp50 has not: the angle that each follows, and whether it grows with it.
const EYE_LOOKS := {
	"eyeLookUpLeft": ["gazePitch", 1.0],
	"eyeLookUpRight": ["gazePitch", 1.0],
	"eyeLookDownLeft": ["gazePitch", -1.0],
	"eyeLookDownRight": ["gazePitch", -1.0],
	"eyeLookOutLeft": ["gazeYaw", 1.0],
	"eyeLookInRight": ["gazeYaw", 1.0],
	"eyeLookInLeft": ["gazeYaw", -1.0],
	"eyeLookOutRight": ["gazeYaw", -1.0],
}

## Whose face it is; without one, a sibling or the parent.
@export var voice: NpcVoice
## The meshes whose shapes are moved.
@export var meshes: Array[MeshInstance3D] = []
## Shapes that have other names than ARKit's.
@export var map: NpcFaceMap
## Beginnings of names that do not count.
@export var prefixes: PackedStringArray = ["blendShape1.", "Face.M_F00_000_00_", "viseme_"]
## How strongly everything moves.
@export_range(0.0, 2.0) var intensity := 1.0
## Turned by the head's angles, if it is there.
@export var head: Node3D
@export_group("Skeleton")
@export var skeleton: Skeleton3D
@export var head_bone := ""
@export var left_eye_bone := ""
@export var right_eye_bone := ""

var _channels: Array = []
var _rules: Array[Array] = []  # [mesh, shape, PackedInt32Array of coefficients, PackedFloat32Array of shares, last]
var _turns: Array[Array] = []  # [bone, coefficient of pitch, of yaw, of roll or −1]
var _head_rest := Basis.IDENTITY
var _angles := PackedInt32Array()


func _ready() -> void:
	if voice == null:
		voice = _near_voice()
	if head:
		_head_rest = head.basis
	if Engine.is_editor_hint() and (voice == null or not voice.in_editor):
		set_process(false)


func _near_voice() -> NpcVoice:
	if get_parent() is NpcVoice:
		return get_parent()
	for node in get_parent().get_children():
		if node is NpcVoice:
			return node
	return null


func _process(_delta: float) -> void:
	if voice == null or voice.face.is_empty():
		return
	if voice.channels != _channels:
		bind(voice.channels)
	apply(voice.face)


## How many shapes follow the engine's coefficients, as far as it has told their names.
func bound_shapes() -> int:
	return len(_rules)


## Find out which shapes follow which of these coefficients; done by itself, and again after [member meshes] changed by
## `bind(voice.channels)`.
func bind(channels: Array) -> void:
	_channels = channels
	_rules.clear()
	_turns.clear()
	for mesh in meshes:
		if mesh == null or mesh.mesh == null:
			continue
		for index in mesh.mesh.get_blend_shape_count():
			var shape := String((mesh.mesh as ArrayMesh).get_blend_shape_name(index))
			_bind_shape(mesh, index, _shares_of(shape))
	if voice and len(channels) and not _rules and meshes:
		push_warning("NpcFace '%s': no blend shape has a name of ARKit's: give it a map" % name)
	_angles = PackedInt32Array(
		[
			channels.find("headPitch"),
			channels.find("headYaw"),
			channels.find("headRoll"),
		]
	)
	if skeleton:
		_bind_bone(head_bone, "head", "headRoll")
		_bind_bone(left_eye_bone, "gaze", "")
		_bind_bone(right_eye_bone, "gaze", "")


## Coefficient → share of a shape.
func _shares_of(shape: String) -> Dictionary:
	if map and map.shapes.has(shape):
		return map.shapes[shape]
	var plain := _plain(shape)
	for channel: String in _channels:
		if _plain(channel) == plain:
			return {channel: 1.0}
	for look: String in EYE_LOOKS:
		if _plain(look) == plain:
			return {EYE_LOOKS[look][0]: EYE_LOOKS[look][1] / FULL_LOOK}
	return {}


func _plain(shape: String) -> String:
	for prefix in prefixes:
		shape = shape.trim_prefix(prefix)
	shape = shape.substr(shape.rfind(".") + 1).to_lower()
	if shape.ends_with("_l"):
		shape = shape.trim_suffix("_l") + "left"
	elif shape.ends_with("_r"):
		shape = shape.trim_suffix("_r") + "right"
	return shape.replace("_", "")


func _bind_shape(mesh: MeshInstance3D, index: int, shares: Dictionary) -> void:
	var from := PackedInt32Array()
	var by := PackedFloat32Array()
	for channel: String in shares:
		if channel in _channels:
			from.append(_channels.find(channel))
			by.append(shares[channel])
	if from:
		_rules.append([mesh, index, from, by, -1.0])


func _bind_bone(bone: String, angle: String, roll: String) -> void:
	var index := skeleton.find_bone(bone) if bone else -1
	if index >= 0:
		_turns.append([index, _channels.find(angle + "Pitch"), _channels.find(angle + "Yaw"), _channels.find(roll)])


## Show coefficients; done by itself in each frame.
func apply(face: PackedFloat32Array) -> void:
	if face.size() != len(_channels):
		return
	for rule in _rules:
		var from: PackedInt32Array = rule[2]
		var by: PackedFloat32Array = rule[3]
		var weight := 0.0
		for i in from.size():
			weight += face[from[i]] * by[i]
		weight = clampf(weight, 0.0, 1.0) * intensity
		if weight != rule[4]:
			rule[4] = weight
			rule[0].set_blend_shape_value(rule[1], weight)
	if head and _angles[0] >= 0:
		head.basis = _head_rest * _turned(face[_angles[0]], face[_angles[1]], face[_angles[2]])
	for turn in _turns:
		if turn[1] >= 0:
			var roll: float = face[turn[3]] if turn[3] >= 0 else 0.0
			var rest := skeleton.get_bone_rest(turn[0]).basis
			var basis := rest * _turned(face[turn[1]], face[turn[2]], roll)
			skeleton.set_bone_pose_rotation(turn[0], basis.get_rotation_quaternion())


## Pitch up, yaw to the person's own left and roll to the own left shoulder, of one who looks along +Z.
func _turned(pitch: float, yaw: float, roll: float) -> Basis:
	return Basis.from_euler(Vector3(-pitch, yaw, -roll) * intensity)
