"""A glTF 2.0 binary (.glb) under construction: arrays, pictures, meshes and nodes, each once in its one buffer.

Written after the Khronos glTF 2.0 specification; every array starts at a multiple of four bytes.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine import __version__

VERTICES, INDICES = 34962, 34963
_TYPES: Final = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_COMPONENTS: Final = {"u1": 5121, "u2": 5123, "u4": 5125, "f4": 5126}


class Document:
    """One scene. What is added gets a number, which others refer to."""

    def __init__(self) -> None:
        self.json: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": f"npc-engine {__version__}"},
            "scene": 0,
            "scenes": [{"nodes": []}],
        }
        self._data = bytearray()

    def add(self, kind: str, what: dict[str, Any]) -> int:
        """Append to a list of the document, such as `meshes`; gives its number there."""
        entries: list[dict[str, Any]] = self.json.setdefault(kind, [])
        entries.append(what)
        return len(entries) - 1

    def root(self, node: int) -> None:
        """Make a node one of the scene's own."""
        self.json["scenes"][0]["nodes"].append(node)

    def array(
        self, values: npt.NDArray[Any], target: int | None = VERTICES, *, normalised: bool = False, bounds: bool = False
    ) -> int:
        """An accessor of u1, u2, u4 or f4 [n] or [n, k]; `bounds` writes its least and largest, as positions need."""
        code = values.dtype.str[1:]
        if code not in _COMPONENTS:
            raise ValueError(f"an array of {values.dtype}, expected u1, u2, u4 or f4")
        flat = np.ascontiguousarray(values.reshape(len(values), -1))
        accessor: dict[str, Any] = {
            "bufferView": self._view(flat.tobytes(), target),
            "componentType": _COMPONENTS[code],
            "count": len(flat),
            "type": _TYPES[flat.shape[1]],
        }
        if normalised:
            accessor["normalized"] = True
        if bounds:
            accessor |= {"min": flat.min(0).tolist(), "max": flat.max(0).tolist()}
        return self.add("accessors", accessor)

    def texture(self, name: str, encoded: bytes, mime: str) -> int:
        """A texture of an encoded PNG or JPEG, which lies in the buffer."""
        image = self.add("images", {"name": name, "bufferView": self._view(encoded, None), "mimeType": mime})
        if "samplers" not in self.json:  # linear between texels and between sizes, repeated beyond the edge
            self.add("samplers", {"magFilter": 9729, "minFilter": 9987, "wrapS": 10497, "wrapT": 10497})
        return self.add("textures", {"sampler": 0, "source": image})

    def _view(self, data: bytes, target: int | None) -> int:
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self._data), "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        self._data += data + bytes(-len(data) % 4)
        return self.add("bufferViews", view)

    def glb(self) -> bytes:
        """The file: a header, the scene as JSON, the buffer."""
        text = json.dumps(self.json | {"buffers": [{"byteLength": len(self._data)}]}, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text
        chunks += struct.pack("<I4s", len(self._data), b"BIN\0") + bytes(self._data)
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
