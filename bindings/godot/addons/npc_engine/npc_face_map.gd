@tool
class_name NpcFaceMap
extends Resource
## Which blend shapes of a mesh follow which coefficients of the engine.
##
## Without one, [NpcFace] finds shapes that have ARKit's names by itself. For other names write them here, or begin with
## [method vrm].

## Blend shape → what moves it: a Dictionary of coefficient → share, such as {"Fcl_MTH_A": {"jawOpen": 1.0}}. The
## shape's weight is the sum, 0 to 1.
@export var shapes := {}


## Shapes that VRM models made with VRoid have, from ARKit's weights. Rough, since five vowels are less than a mouth;
## models with "perfect sync" have ARKit's names and need no map.
static func vrm() -> NpcFaceMap:
	var map := NpcFaceMap.new()
	map.shapes = {
		"Fcl_MTH_A": {"jawOpen": 1.2, "mouthFunnel": -0.6, "mouthPucker": -0.6},
		"Fcl_MTH_I": {"mouthStretchLeft": 0.6, "mouthStretchRight": 0.6},
		"Fcl_MTH_U": {"mouthPucker": 0.9},
		"Fcl_MTH_E": {"mouthSmileLeft": 0.3, "mouthSmileRight": 0.3, "mouthLowerDownLeft": 0.3},
		"Fcl_MTH_O": {"mouthFunnel": 0.9},
		"Fcl_EYE_Close_L": {"eyeBlinkLeft": 1.0},
		"Fcl_EYE_Close_R": {"eyeBlinkRight": 1.0},
		"Fcl_BRW_Angry": {"browDownLeft": 0.5, "browDownRight": 0.5},
		"Fcl_BRW_Surprised": {"browInnerUp": 0.5, "browOuterUpLeft": 0.25, "browOuterUpRight": 0.25},
	}
	return map


## The same for VRM's preset names ("a", "blink_l", or "aa", "blinkLeft"), which some importers give to shapes.
static func vrm_presets() -> NpcFaceMap:
	var from := vrm().shapes
	var map := NpcFaceMap.new()
	var names := {
		"Fcl_MTH_A": ["a", "aa"],
		"Fcl_MTH_I": ["i", "ih"],
		"Fcl_MTH_U": ["u", "ou"],
		"Fcl_MTH_E": ["e", "ee"],
		"Fcl_MTH_O": ["o", "oh"],
		"Fcl_EYE_Close_L": ["blink_l", "blinkLeft"],
		"Fcl_EYE_Close_R": ["blink_r", "blinkRight"],
	}
	for shape: String in names:
		for name: String in names[shape]:
			map.shapes[name] = from[shape]
	return map
