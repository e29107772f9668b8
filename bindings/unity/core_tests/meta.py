"""Writes the .meta file of everything in the Unity package that has none: `python meta.py`. Those that are there stay.

Unity finds assets by the GUID in their .meta, so that it may never change once it was given out. A new one is the MD5
of the path within the package: the same wherever it is made.
"""

import hashlib
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "com.npcengine.client"
TAIL = "  externalObjects: {}\n  userData: \n  assetBundleName: \n  assetBundleVariant: \n"
IMPORTERS = {".asmdef": "AssemblyDefinitionImporter", ".md": "TextScriptImporter", ".txt": "TextScriptImporter"}
SCRIPT = """MonoImporter:
  externalObjects: {}
  serializedVersion: 2
  defaultReferences: []
  executionOrder: 0
  icon: {instanceID: 0}
  userData: 
  assetBundleName: 
  assetBundleVariant: 
"""  # noqa: W291 - as Unity writes it


def meta(path: Path) -> str:
    """The text of the .meta of a file or folder."""
    name = path.relative_to(PACKAGE).as_posix()
    head = f"fileFormatVersion: 2\nguid: {hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()}\n"
    if path.is_dir():
        return f"{head}folderAsset: yes\nDefaultImporter:\n{TAIL}"
    if path.suffix == ".cs":
        return head + SCRIPT
    importer = (
        "PackageManifestImporter" if path.name == "package.json" else IMPORTERS.get(path.suffix, "DefaultImporter")
    )
    return f"{head}{importer}:\n{TAIL}"


def visible(path: Path) -> bool:
    """Whether Unity imports it: nothing in a folder whose name ends in ~ or begins with a dot."""
    parts = path.relative_to(PACKAGE).parts
    return path.suffix != ".meta" and not any(part.endswith("~") or part.startswith(".") for part in parts)


def main() -> None:
    """Write what lacks."""
    for path in sorted(PACKAGE.rglob("*")):
        beside = path.with_name(f"{path.name}.meta")
        if visible(path) and not beside.exists():
            beside.write_text(meta(path), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
