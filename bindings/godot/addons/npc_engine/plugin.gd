@tool
extends EditorPlugin
## The dock. The nodes need no plug-in: they have class names, and are in "Create New Node" as soon as the folder is
## there.

const Dock := preload("editor/dock.gd")

var _dock: Control


func _enter_tree() -> void:
	_dock = Dock.new()
	add_control_to_dock(DOCK_SLOT_RIGHT_BL, _dock)


func _exit_tree() -> void:
	remove_control_from_docks(_dock)
	_dock.queue_free()
