"""Cycles materials: skin, eyes, hair, cloth, glow. Each is a small node graph built here, nothing is loaded."""

import math
from pathlib import Path
from typing import Any

import bpy
from build import picture
from paint import Canvas, Colour, Plane, linear


class Graph:
    """A material under construction: `node(kind, input=value or socket)` makes a node and wires it."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.tree.nodes.clear()

    def node(self, kind: str, settings: dict[str, Any] | None = None, /, **inputs: Any) -> bpy.types.Node:
        """A node of this kind; inputs go by name, `_` for a space, or by number as `i0`."""
        made = self.tree.nodes.new(kind)
        for name, value in (settings or {}).items():
            setattr(made, name, value)
        for name, value in inputs.items():
            number = name[1:].isdigit() and name[0] == "i"
            socket = made.inputs[int(name[1:]) if number else name.replace("_", " ")]
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, socket)
            else:
                socket.default_value = value
        return made

    def math(self, operation: str, a: Any, b: Any = 0.0, *, clamp: bool = False) -> bpy.types.NodeSocket:
        return self.node("ShaderNodeMath", {"operation": operation, "use_clamp": clamp}, i0=a, i1=b).outputs[0]

    def mix(self, share: Any, a: Any, b: Any, how: str = "MIX") -> bpy.types.NodeSocket:
        """`b` over `a` by this share, colours."""
        made = self.node("ShaderNodeMix", {"data_type": "RGBA", "blend_type": how}, i0=share, i6=rgba(a), i7=rgba(b))
        return made.outputs[2]

    def noise(self, where: Any, scale: float, detail: float = 2.0) -> bpy.types.NodeSocket:
        return self.node("ShaderNodeTexNoise", Vector=where, Scale=scale, Detail=detail).outputs[0]

    def spread(self, value: Any, low: float, high: float) -> bpy.types.NodeSocket:
        """0 below `low`, 1 above `high`, smooth between."""
        made = self.node("ShaderNodeMapRange", {"interpolation_type": "SMOOTHSTEP"}, i0=value, i1=low, i2=high)
        return made.outputs[0]

    def shade(self, shader: bpy.types.NodeSocket) -> bpy.types.Material:
        self.node("ShaderNodeOutputMaterial", Surface=shader)
        return self.material


def rgba(colour: Any) -> Any:
    """Four numbers where a socket of colour wants them."""
    return colour if isinstance(colour, bpy.types.NodeSocket) else (*tuple(colour)[:3], 1.0)


def skin(
    canvas: Canvas, zones: Plane, relief: Plane, *, lips: Colour, moles: float, textures: Path
) -> bpy.types.Material:
    """Skin: frontal `zones` of colour (linear), `relief` as wrinkles, UV masks for lips and lids, noise, scattering."""
    g = Graph("skin")
    place = g.node("ShaderNodeTexCoord").outputs["Object"]
    x, _, z = g.node("ShaderNodeSeparateXYZ", Vector=place).outputs
    half, (cx, cy) = canvas.half, canvas.middle
    u = g.math("DIVIDE", g.math("SUBTRACT", x, cx - half), 2 * half)
    v = g.math("DIVIDE", g.math("SUBTRACT", z, cy - half), 2 * half)
    front = g.node("ShaderNodeCombineXYZ", X=u, Y=v).outputs[0]

    def frontal(name: str, plane: Plane, *, data: bool) -> bpy.types.NodeSocket:
        shown = plane if plane.ndim == 3 else plane[..., None].repeat(3, -1)
        settings = {"image": picture(name, shown, data=data), "extension": "EXTEND", "interpolation": "Cubic"}
        return g.node("ShaderNodeTexImage", settings, Vector=front).outputs[0]

    def mask(name: str) -> bpy.types.NodeSocket:
        image = bpy.data.images.load(str(textures / f"mpfb_{name}.jpg"))
        image.colorspace_settings.name = "Non-Color"
        uv = g.node("ShaderNodeUVMap").outputs[0]
        return g.node("ShaderNodeTexImage", {"image": image, "interpolation": "Cubic"}, Vector=uv).outputs[0]

    colour = frontal("zones", zones, data=False)
    blotch, fine = g.noise(place, 3.2, 4.0), g.noise(place, 19.0, 5.0)
    colour = g.mix(g.math("MULTIPLY", g.spread(blotch, 0.45, 0.75), 0.16), colour, (0.86, 0.42, 0.32), "MULTIPLY")
    colour = g.mix(g.math("MULTIPLY", g.spread(fine, 0.42, 0.72), 0.11), colour, (0.72, 0.50, 0.42), "MULTIPLY")
    colour = g.mix(g.math("MULTIPLY", g.spread(fine, 0.58, 0.30), 0.20), colour, (1.32, 1.18, 1.10), "MULTIPLY")
    spots = g.node("ShaderNodeTexVoronoi", Vector=place, Scale=17.0, Randomness=1.0).outputs[0]
    few = g.math("MULTIPLY", g.spread(spots, 0.20, 0.05), g.spread(g.noise(place, 4.5), 0.42, 0.62))
    colour = g.mix(g.math("MULTIPLY", few, moles), colour, (0.55, 0.32, 0.20), "MULTIPLY")
    lip, lid, ear, mouth = mask("lips"), mask("eyelids"), mask("ears"), mask("inside-mouth")
    colour = g.mix(g.math("MULTIPLY", ear, 0.35), colour, (0.95, 0.55, 0.46), "MULTIPLY")
    colour = g.mix(g.math("MULTIPLY", lid, 0.35), colour, (0.80, 0.58, 0.54), "MULTIPLY")
    rosy = g.mix(g.math("MULTIPLY", g.spread(fine, 0.35, 0.7), 0.5), linear(lips), linear(lips) * 0.62)
    colour = g.mix(g.math("MULTIPLY", g.spread(lip, 0.15, 0.85), 0.78), colour, rosy)
    colour = g.mix(mouth, colour, (0.16, 0.035, 0.03))
    pores = g.node("ShaderNodeTexVoronoi", Vector=place, Scale=60.0, Randomness=1.0).outputs[0]
    grain = g.math("ADD", g.math("MULTIPLY", g.spread(pores, 0.0, 0.4), 0.5), g.noise(place, 95.0, 3.0))
    cracks = g.node("ShaderNodeMapping", Vector=place, Scale=(30.0, 1.0, 3.0)).outputs[0]
    grain = g.math("ADD", grain, g.math("MULTIPLY", g.math("MULTIPLY", g.noise(cracks, 2.2, 2.0), lip), 2.4))
    deep = frontal("relief", relief, data=True)
    bump = g.node("ShaderNodeBump", Strength=0.9, Distance=0.035, Height=deep).outputs[0]
    bump = g.node("ShaderNodeBump", Strength=0.42, Distance=0.014, Height=grain, Normal=bump).outputs[0]
    rough = g.math("SUBTRACT", g.math("ADD", 0.43, g.math("MULTIPLY", fine, 0.16)), g.math("MULTIPLY", lip, 0.13))
    shader = g.node(
        "ShaderNodeBsdfPrincipled",
        {"subsurface_method": "RANDOM_WALK"},
        Base_Color=colour, Roughness=rough, IOR=1.42, Normal=bump,
        Subsurface_Weight=0.75, Subsurface_Scale=0.055, Subsurface_Radius=(1.0, 0.32, 0.16),
        Specular_IOR_Level=0.42, Sheen_Weight=0.06, Sheen_Roughness=0.4,
    )  # fmt: skip
    return g.shade(shader.outputs[0])


def eye_white(image: Plane) -> bpy.types.Material:
    """The eyeball with the iris laid on from the front."""
    g = Graph("eye")
    place = g.node("ShaderNodeTexCoord").outputs["Object"]
    front = g.node("ShaderNodeMapping", Vector=place, Scale=(0.5, 1, 0.5), Location=(0.5, 0, 0.5)).outputs[0]
    x, _, z = g.node("ShaderNodeSeparateXYZ", Vector=front).outputs
    flat = g.node("ShaderNodeCombineXYZ", X=x, Y=z).outputs[0]
    settings = {"image": picture("iris", image), "interpolation": "Cubic"}
    colour = g.node("ShaderNodeTexImage", settings, Vector=flat).outputs[0]
    shader = g.node(
        "ShaderNodeBsdfPrincipled",
        Base_Color=colour, Roughness=0.35, Specular_IOR_Level=0.3,
        Subsurface_Weight=0.25, Subsurface_Scale=0.03, Subsurface_Radius=(1.0, 0.5, 0.4),
    )  # fmt: skip
    return g.shade(shader.outputs[0])


def cornea() -> bpy.types.Material:
    """A wet clear film: reflects by its angle, lets everything else through unbent."""
    g = Graph("cornea")
    through = g.node("ShaderNodeBsdfTransparent").outputs[0]
    gloss = g.node("ShaderNodeBsdfGlossy", Roughness=0.03).outputs[0]
    share = g.node("ShaderNodeFresnel", IOR=1.40).outputs[0]
    return g.shade(g.node("ShaderNodeMixShader", i0=share, i1=through, i2=gloss).outputs[0])


def hair(name: str, root: Colour, tip: Colour, *, grey: float = 0.0, roughness: float = 0.32) -> bpy.types.Material:
    """Hair whose colour runs from root to tip and varies from strand to strand; a share `grey` of strands is white."""
    g = Graph(name)
    info = g.node("ShaderNodeHairInfo").outputs
    along, chance = info["Intercept"], info["Random"]
    colour = g.mix(along, linear(root), linear(tip))
    colour = g.mix(g.math("MULTIPLY", chance, 0.55), colour, linear(root) * 0.45)
    if grey:
        colour = g.mix(
            g.math("LESS_THAN", g.math("FRACT", g.math("MULTIPLY", chance, 7.31)), grey),
            colour,
            linear((0.86, 0.84, 0.80)),
        )
    shader = g.node(
        "ShaderNodeBsdfHairPrincipled",
        {"model": "CHIANG", "parametrization": "COLOR"},
        Color=colour, Roughness=roughness, Radial_Roughness=0.45, Random_Roughness=0.2, Coat=0.0,
    )  # fmt: skip
    return g.shade(shader.outputs[0])


def cloth(
    name: str,
    colour: Colour,
    dark: Colour,
    *,
    weave: float,
    sheen: float = 0.3,
    rough: float = 0.9,
    trim: tuple[float, float, Colour] | None = None,
) -> bpy.types.Material:
    """Woven stuff: `weave` threads a decimetre in both directions, uneven dye, worn patches, a little fuzz.

    `trim` is an embroidered band: where it begins and ends from edge (0) to hem (1), and its colour.
    """
    g = Graph(name)
    place = g.node("ShaderNodeTexCoord").outputs["Object"]
    uv = g.node("ShaderNodeUVMap").outputs[0]
    u, v, _ = g.node("ShaderNodeSeparateXYZ", Vector=uv).outputs
    dye, wear = g.noise(place, 3.0, 6.0), g.noise(place, 9.0, 4.0)
    yarn = g.noise(place, weave * 1.1, 3.0)
    fuzz = g.noise(place, weave * 0.45, 5.0)
    warp = g.math("SINE", g.math("ADD", g.math("MULTIPLY", u, weave * 55), g.math("MULTIPLY", yarn, 4.0)))
    weft = g.math("SINE", g.math("ADD", g.math("MULTIPLY", v, weave * 22), g.math("MULTIPLY", yarn, 4.0)))
    threads = g.math("ADD", g.math("MULTIPLY", g.math("MULTIPLY", warp, weft), 0.5), 0.5)
    stuff = g.mix(g.spread(dye, 0.3, 0.72), linear(dark), linear(colour))
    stuff = g.mix(g.math("MULTIPLY", g.spread(wear, 0.5, 0.75), 0.25), stuff, linear(colour) * 1.5)
    stuff = g.mix(g.math("MULTIPLY", threads, 0.20), stuff, linear(dark) * 0.55)
    stuff = g.mix(g.math("MULTIPLY", fuzz, 0.45), stuff, linear(colour) * 1.2)
    height = g.math("ADD", g.math("MULTIPLY", threads, 0.6), g.math("ADD", yarn, g.math("MULTIPLY", fuzz, 1.2)))
    if trim:
        low, high, tone = trim
        band = g.math("MULTIPLY", g.spread(v, low, low + 0.004), g.spread(v, high, high - 0.004))
        across = g.math("SINE", g.math("MULTIPLY", g.math("SUBTRACT", v, low), math.tau * 2 / (high - low)))
        around = g.math("SINE", g.math("MULTIPLY", u, math.tau * 64))
        knot = g.spread(g.math("ADD", g.math("MULTIPLY", across, around), g.math("MULTIPLY", yarn, 0.3)), 0.0, 0.35)
        rail = g.spread(g.math("ABSOLUTE", g.math("SUBTRACT", v, (low + high) / 2)), (high - low) * 0.38, high - low)
        drawn = g.math("MULTIPLY", band, g.math("MAXIMUM", knot, g.math("MULTIPLY", rail, 4.0, clamp=True)))
        stuff = g.mix(g.math("MULTIPLY", band, 0.6), stuff, linear(dark) * 0.5)
        stuff = g.mix(drawn, stuff, linear(tone))
        height = g.math("ADD", height, g.math("MULTIPLY", drawn, 1.4))
    bump = g.node("ShaderNodeBump", Strength=0.55, Distance=0.012, Height=height).outputs[0]
    shader = g.node(
        "ShaderNodeBsdfPrincipled",
        Base_Color=stuff, Roughness=rough, Normal=bump,
        Sheen_Weight=sheen, Sheen_Roughness=0.5, Specular_IOR_Level=0.25,
    )  # fmt: skip
    return g.shade(shader.outputs[0])


def leather(name: str, colour: Colour, *, stitches: tuple[float, ...] = (), rough: float = 0.5) -> bpy.types.Material:
    """Tanned hide: grain, creases, scuffs, rubbed edges, and rows of stitches at these heights from edge to hem."""
    g = Graph(name)
    place = g.node("ShaderNodeTexCoord").outputs["Object"]
    u, v, _ = g.node("ShaderNodeSeparateXYZ", Vector=g.node("ShaderNodeUVMap").outputs[0]).outputs
    stain, scuff = g.noise(place, 2.4, 5.0), g.noise(place, 11.0, 8.0)
    cells = g.node("ShaderNodeTexVoronoi", {"feature": "DISTANCE_TO_EDGE"}, Vector=place, Scale=34.0).outputs[0]
    cracks = g.spread(cells, 0.0, 0.12)
    stuff = g.mix(g.spread(stain, 0.3, 0.7), linear(colour) * 0.45, linear(colour))
    stuff = g.mix(g.math("MULTIPLY", g.spread(scuff, 0.56, 0.72), 0.5), stuff, linear(colour) * 2.1)
    stuff = g.mix(g.math("MULTIPLY", g.math("SUBTRACT", 1.0, cracks), 0.35), stuff, linear(colour) * 0.35)
    worn = g.spread(v, 0.05, 0.02)
    stuff = g.mix(g.math("MULTIPLY", worn, 0.5), stuff, linear(colour) * 1.9)
    height = g.math("ADD", g.math("MULTIPLY", cracks, 0.5), g.math("MULTIPLY", g.noise(place, 60.0, 4.0), 0.9))
    height = g.math("ADD", height, g.math("MULTIPLY", scuff, 1.5))
    for row in stitches:
        near = g.spread(g.math("ABSOLUTE", g.math("SUBTRACT", v, row)), 0.006, 0.003)
        dash = g.math("MULTIPLY", near, g.spread(g.math("SINE", g.math("MULTIPLY", u, math.tau * 110)), -0.35, 0.0))
        stuff = g.mix(dash, stuff, linear((0.66, 0.56, 0.40)))
        height = g.math("ADD", height, g.math("MULTIPLY", dash, 2.5))
    bump = g.node("ShaderNodeBump", Strength=0.6, Distance=0.016, Height=height).outputs[0]
    shine = g.math("ADD", rough, g.math("MULTIPLY", g.math("SUBTRACT", scuff, 0.5), 0.5))
    shader = g.node("ShaderNodeBsdfPrincipled", Base_Color=stuff, Roughness=shine, Normal=bump, Specular_IOR_Level=0.45)
    return g.shade(shader.outputs[0])


def metal(name: str, colour: Colour, rough: float = 0.3) -> bpy.types.Material:
    """Hammered metal with dirt in its hollows."""
    g = Graph(name)
    place = g.node("ShaderNodeTexCoord").outputs["Object"]
    dents = g.noise(place, 9.0, 3.0)
    stuff = g.mix(g.spread(dents, 0.55, 0.35), linear(colour), linear(colour) * 0.25)
    bump = g.node("ShaderNodeBump", Strength=0.35, Distance=0.03, Height=dents).outputs[0]
    shader = g.node("ShaderNodeBsdfPrincipled", Base_Color=stuff, Metallic=1.0, Roughness=rough, Normal=bump)
    return g.shade(shader.outputs[0])


def bone(name: str, colour: Colour) -> bpy.types.Material:
    """Horn, bone or tusk: ringed and streaked along the object's z, darker in the grooves."""
    g = Graph(name)
    place = g.node("ShaderNodeTexCoord").outputs["Object"]
    streaks = g.noise(g.node("ShaderNodeMapping", Vector=place, Scale=(14.0, 14.0, 3.0)).outputs[0], 2.0, 5.0)
    rings = g.noise(g.node("ShaderNodeMapping", Vector=place, Scale=(1.0, 1.0, 22.0)).outputs[0], 1.6, 3.0)
    stuff = g.mix(g.spread(streaks, 0.35, 0.65), linear(colour) * 0.4, linear(colour))
    stuff = g.mix(g.math("MULTIPLY", g.spread(rings, 0.55, 0.35), 0.55), stuff, linear(colour) * 0.25)
    height = g.math("ADD", g.math("MULTIPLY", rings, 1.6), streaks)
    bump = g.node("ShaderNodeBump", Strength=0.8, Distance=0.03, Height=height).outputs[0]
    shader = g.node(
        "ShaderNodeBsdfPrincipled", Base_Color=stuff, Roughness=0.42, Normal=bump,
        Subsurface_Weight=0.2, Subsurface_Scale=0.03,
    )  # fmt: skip
    return g.shade(shader.outputs[0])


def glow(image: Plane) -> bpy.types.Material:
    """A far wall that shines as painted."""
    g = Graph("room")
    uv = g.node("ShaderNodeUVMap").outputs[0]
    colour = g.node("ShaderNodeTexImage", {"image": picture("room", image)}, Vector=uv).outputs[0]
    return g.shade(g.node("ShaderNodeEmission", Color=colour).outputs[0])


def plain(name: str, colour: Colour, roughness: float) -> bpy.types.Material:
    """One colour: teeth, tongue, a button."""
    g = Graph(name)
    return g.shade(
        g.node("ShaderNodeBsdfPrincipled", Base_Color=(*linear(colour), 1.0), Roughness=roughness).outputs[0]
    )
