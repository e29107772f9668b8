class_name DemoHead
extends Node3D
## A head for the demo: a .glb that npc-engine faces export has written, or one made of spheres with a few shapes.

## Written by: npc-engine faces export head_woman --gltf bindings/godot/demo/head.glb
const FILE := "res://demo/head.glb"
const HEIGHT := 0.32  ## Metres of it to be seen, from the top of the head down.
const SCALE := 2.0 / HEIGHT

## The meshes that have shapes.
var meshes: Array[MeshInstance3D] = []
## Its bones; null if it has none.
var skeleton: Skeleton3D


func _ready() -> void:
	if FileAccess.file_exists(FILE):
		_load(FILE)
	if not meshes:
		_make()


## Reads glTF at run time: nothing has to be imported by the editor.
func _load(path: String) -> void:
	var document := GLTFDocument.new()
	var state := GLTFState.new()
	if document.append_from_file(path, state) != OK:
		return
	var scene := document.generate_scene(state)
	add_child(scene)
	var top := 0.0
	for node in scene.find_children("*", "MeshInstance3D", true, false):
		var mesh := node as MeshInstance3D
		if mesh.mesh.get_blend_shape_count():
			meshes.append(mesh)
			top = maxf(top, mesh.get_aabb().end.y)
	for node in scene.find_children("*", "Skeleton3D", true, false):
		skeleton = node
	scene.scale = Vector3.ONE * SCALE
	scene.position = Vector3.DOWN * (top - HEIGHT / 2.0) * SCALE


func _make() -> void:
	_add(_ball(Vector3.ZERO, Vector3(0.75, 1.0, 0.8), {"jawOpen": _jaw}), Color(0.85, 0.65, 0.52))
	for side: float in [-1.0, 1.0]:
		var name := "eyeBlinkLeft" if side > 0 else "eyeBlinkRight"
		_add(_ball(Vector3(0.28 * side, 0.2, 0.68), Vector3(0.12, 0.09, 0.08), {name: _shut}), Color(0.95, 0.95, 0.95))
	var mouth := {"jawOpen": _open, "mouthPucker": _narrow, "mouthFunnel": _narrow}
	_add(_ball(Vector3(0, -0.42, 0.7), Vector3(0.24, 0.03, 0.06), mouth), Color(0.45, 0.12, 0.12))


func _add(mesh: ArrayMesh, colour: Color) -> void:
	var material := StandardMaterial3D.new()
	material.albedo_color = colour
	var instance := MeshInstance3D.new()
	instance.mesh = mesh
	instance.material_override = material
	add_child(instance)
	meshes.append(instance)


## A sphere, stretched; `shapes`: name → function of a vertex that gives where it goes.
func _ball(centre: Vector3, size: Vector3, shapes: Dictionary) -> ArrayMesh:
	var sphere := SphereMesh.new()
	sphere.radius = 1.0
	sphere.height = 2.0
	var arrays := sphere.get_mesh_arrays()
	var vertices: PackedVector3Array = arrays[Mesh.ARRAY_VERTEX]
	for i in vertices.size():
		vertices[i] = vertices[i] * size + centre
	arrays[Mesh.ARRAY_VERTEX] = vertices
	var mesh := ArrayMesh.new()
	mesh.blend_shape_mode = Mesh.BLEND_SHAPE_MODE_NORMALIZED
	var blends: Array[Array] = []
	for shape: String in shapes:
		mesh.add_blend_shape(shape)
		var moved := vertices.duplicate()
		for i in moved.size():
			moved[i] = shapes[shape].call(moved[i], centre)
		blends.append([moved, arrays[Mesh.ARRAY_NORMAL], arrays[Mesh.ARRAY_TANGENT]])
	mesh.add_surface_from_arrays(Mesh.PRIMITIVE_TRIANGLES, arrays, blends)
	return mesh


func _jaw(vertex: Vector3, _centre: Vector3) -> Vector3:
	return vertex + Vector3(0, -0.2, 0) * clampf(-vertex.y - 0.3, 0.0, 0.7)


func _shut(vertex: Vector3, centre: Vector3) -> Vector3:
	return Vector3(vertex.x, centre.y + (vertex.y - centre.y) * 0.1, vertex.z)


func _open(vertex: Vector3, centre: Vector3) -> Vector3:
	return Vector3(vertex.x, centre.y - 0.05 + (vertex.y - centre.y) * 6.0, vertex.z)


func _narrow(vertex: Vector3, centre: Vector3) -> Vector3:
	return Vector3(centre.x + (vertex.x - centre.x) * 0.5, vertex.y, vertex.z)
