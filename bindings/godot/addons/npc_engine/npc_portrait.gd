@tool
@icon("icons/npc_portrait.svg")
class_name NpcPortrait
extends TextureRect
## Shows the pictures that the engine draws of a character, in step with the sound of its [NpcVoice].
##
## The voice must ask for them: its [member NpcVoice.picture] is the edge in pixels.

## Whose picture it is; without one, a sibling or the parent.
@export var voice: NpcVoice

var _image: Image


func _ready() -> void:
	if voice == null and get_parent() is NpcVoice:
		voice = get_parent()
	for node in get_parent().get_children():
		if voice == null and node is NpcVoice:
			voice = node
	if Engine.is_editor_hint() and (voice == null or not voice.in_editor):
		set_process(false)
	elif voice and not voice.picture:
		push_warning("NpcPortrait '%s': its NpcVoice asks no pictures: set its property picture, e.g. to 256" % name)


func _process(_delta: float) -> void:
	if voice == null or voice.shown_picture == null or voice.shown_picture == _image:
		return
	var before := _image
	_image = voice.shown_picture
	var fits := before and before.get_size() == _image.get_size() and before.get_format() == _image.get_format()
	if texture is ImageTexture and fits:
		(texture as ImageTexture).update(_image)  # no new texture for each of 25 pictures a second
	else:
		texture = ImageTexture.create_from_image(_image)
