@tool
extends VBoxContainer
## The editor's dock: who an engine has, and a line to try them.

var _engine: NpcEngine
var _voice: NpcVoice
var _address := LineEdit.new()
var _button := Button.new()
var _state := Label.new()
var _list := ItemList.new()
var _text := LineEdit.new()
var _say := Button.new()
var _stop := Button.new()


func _init() -> void:
	name = "NPC engine"
	_address.text = "tcp://127.0.0.1:7890"
	_address.tooltip_text = "tcp://HOST:PORT of an engine, or ws://HOST:PORT/ of its gateway"
	_address.text_submitted.connect(func(_given: String) -> void: connect_engine())
	_button.text = "Connect"
	_button.pressed.connect(connect_engine)
	_state.autowrap_mode = TextServer.AUTOWRAP_WORD_SMART
	_state.text = "Not connected. Start an engine with: npc-engine serve"
	_list.size_flags_vertical = SIZE_EXPAND_FILL
	_list.custom_minimum_size = Vector2(0, 160)
	_text.text = "Mind the step!"
	_text.text_submitted.connect(func(_given: String) -> void: say())
	_say.text = "Say"
	_say.pressed.connect(say)
	_stop.text = "Stop"
	_stop.pressed.connect(func() -> void: _voice.interrupt())
	var buttons := HBoxContainer.new()
	for control: Control in [_say, _stop]:
		control.size_flags_horizontal = SIZE_EXPAND_FILL
		buttons.add_child(control)
	for control: Control in [_address, _button, _state, _list, _text, buttons]:
		add_child(control)


func _ready() -> void:
	_engine = NpcEngine.new()
	_engine.autoconnect = false
	_engine.client_name = "godot editor"
	_voice = NpcVoice.new()
	_voice.in_editor = true
	_voice.engine = _engine
	_engine.connected.connect(_on_connected)
	_engine.disconnected.connect(_tell)
	_engine.refused.connect(_tell)
	_engine.listed.connect(_on_listed)
	_voice.failed.connect(func(_line: String, code: String, text: String) -> void: _tell(code + ": " + text))
	_voice.line_ended.connect(func(_line: String, how: String) -> void: _tell("Said: " + how))
	add_child(_engine)
	add_child(_voice)


## Connect to the address that is written, anew.
func connect_engine() -> void:
	_engine.close()
	_engine.address = _address.text
	_list.clear()
	_tell("Connecting …")
	_engine.open()


## Say the text that is written, by who is chosen.
func say() -> void:
	var chosen := _list.get_selected_items()
	if not chosen:
		_tell("Choose a character or a voice first")
		return
	var who: Dictionary = _list.get_item_metadata(chosen[0])
	if who.is_empty():
		_tell("A face does not speak: choose a character or a voice")
		return
	_voice.npc = who.get("npc", "")
	_voice.voice = who.get("voice", "")
	_tell("Saying …")
	_voice.say(_text.text, NpcVoice.Turn.REPLACE)


func _tell(text: String) -> void:
	_state.text = text


func _on_connected(welcome: Dictionary) -> void:
	_tell("Engine %s" % welcome.engine)
	_engine.ask_npcs()


func _on_listed(npcs: Array, voices: Array, faces: Array) -> void:
	_list.clear()
	for npc: Dictionary in npcs:
		_add("%s (voice %s, face %s)" % [npc.name, npc.voice, npc.face if npc.face else "none"], {npc = npc.name})
	for voice: String in voices:
		_add("voice %s" % voice, {voice = voice})
	for face: String in faces:
		_add("face %s" % face, {})
	if _list.item_count:
		_list.select(0)


func _add(text: String, who: Dictionary) -> void:
	_list.set_item_metadata(_list.add_item(text), who)
