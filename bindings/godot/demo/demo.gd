extends Control
## A character as a picture and as a head of blend shapes: type what it shall say.

@onready var engine: NpcEngine = $NpcEngine
@onready var voice: NpcVoice = $NpcVoice
@onready var face: NpcFace = $NpcVoice/NpcFace
@onready var _who: OptionButton = %Who
@onready var _line: LineEdit = %Line
@onready var _state: Label = %State


func _ready() -> void:
	var head: DemoHead = %Head
	face.meshes = head.meshes
	if head.skeleton:
		face.skeleton = head.skeleton
		face.head_bone = "HeadBone"
	else:
		face.head = head
	engine.connected.connect(_on_connected)
	engine.disconnected.connect(_tell)
	engine.refused.connect(_tell)
	engine.listed.connect(_on_listed)
	voice.failed.connect(func(_id: String, _code: String, text: String) -> void: _tell(text))
	voice.interrupted.connect(func(_id: String, heard: String) -> void: _tell("Heard: " + heard))
	%Say.pressed.connect(say)
	%Stop.pressed.connect(voice.interrupt)
	_line.text_submitted.connect(func(_text: String) -> void: say())


## Say what is written.
func say() -> void:
	voice.say(_line.text, NpcVoice.Turn.REPLACE)


func _tell(text: String) -> void:
	_state.text = text


func _on_connected(welcome: Dictionary) -> void:
	_tell("Engine %s" % welcome.engine)
	engine.ask_npcs()


func _on_listed(npcs: Array, _voices: Array, _faces: Array) -> void:
	_who.clear()
	for npc: Dictionary in npcs:
		_who.add_item(npc.name)
		_who.set_item_metadata(_who.item_count - 1, npc)
	if not _who.item_selected.is_connected(_on_chosen):
		_who.item_selected.connect(_on_chosen)
	if npcs:
		_on_chosen(0)


func _on_chosen(index: int) -> void:
	var npc: Dictionary = _who.get_item_metadata(index)
	voice.interrupt()
	voice.npc = npc.name
	voice.picture = 256 if npc.face else 0
