#!/usr/bin/env bash
# Godot 4 from Debian sid in a folder of its own (0.9 GB, about a minute): godot.sh FOLDER.
#
# Debian's stable releases have no Godot 4, so it lives in a root of its own and is run by chroot, which needs root's
# rights and the package debootstrap. A folder that is ready stays as it is.
#
#     bindings/godot/ci/godot.sh "$HOME/.cache/npc-engine-godot"
#     NPC_ENGINE_GODOT_ROOT="$HOME/.cache/npc-engine-godot" python -m pytest tests/test_binding_godot.py
#
# exit 0: ready; 3: the archive does not give it today (network, a package that can't be installed); 1: used wrongly
set -euo pipefail

(($# == 1)) || { echo "usage: godot.sh FOLDER" >&2; exit 1; }
folder=$1
ready=$folder/.npc-engine-ready
[[ -e $ready ]] && { cat "$ready"; exit 0; }
[[ $EUID == 0 ]] || { echo "godot.sh: chroot needs root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "godot.sh: no debootstrap, apt-get install it" >&2; exit 1; }

make_root() {
    debootstrap --variant=minbase sid "$folder" || return
    # this machine's own settings for packages, such as a proxy
    cp /etc/apt/apt.conf.d/* "$folder/etc/apt/apt.conf.d/" 2>/dev/null || true
    chroot "$folder" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        godot libgl1-mesa-dri libegl1 ca-certificates || return
    chroot "$folder" apt-get clean
}

lacks() {
    echo "godot.sh: NO GODOT 4 TODAY: $1; $folder.log ends with:" >&2
    tail -n 5 "$folder.log" >&2
    exit 3
}

rm -rf "$folder"
mkdir -p "$folder"
make_root >"$folder.log" 2>&1 || lacks "the archive did not give it"
version=$(chroot "$folder" godot --headless --version 2>/dev/null | tail -1)
[[ $version == 4.* ]] || lacks "godot says it is '$version', expected 4.x"
echo "$version" | tee "$ready"
