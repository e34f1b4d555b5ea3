#!/bin/bash
# Renew Sources/OctantProtocol/Generated from the .proto files in Sources/OctantProtocol/Protos:
# the messages, and the files' descriptors, which the server's reflection service answers with.
set -eu
cd "$(dirname "$0")/.."
protos=Sources/OctantProtocol/Protos
generated=Sources/OctantProtocol/Generated
build=${SCRATCH:-.build}
checkout=$build/checkouts/swift-protobuf

if ! command -v protoc >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        scripts/quietly.sh "installing protobuf-compiler" \
            bash -c 'apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends protobuf-compiler'
    else
        echo "Please install: protobuf-compiler (protoc)" >&2
        exit 1
    fi
fi
[ -d "$checkout" ] || scripts/quietly.sh "resolving packages" swift package --scratch-path "$build" resolve
# The plugin comes from the very package the messages are compiled against.
scripts/quietly.sh "protoc-gen-swift" \
    swift build --package-path "$checkout" --scratch-path "$build/protoc-gen-swift" --product protoc-gen-swift
plugin=$build/protoc-gen-swift/debug/protoc-gen-swift

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mapfile -t files < <(cd "$protos" && find . -name '*.proto' | sed 's,^\./,,' | LC_ALL=C sort)
# v1alpha's messages are v1's under an older name: its descriptor is served, its messages are not needed.
mapfile -t compiled < <(printf '%s\n' "${files[@]}" | grep -v v1alpha)
includes=(-I "$protos" -I "$checkout/Protos/Sources/SwiftProtobuf")
protoc "${includes[@]}" --plugin=protoc-gen-swift="$plugin" --swift_out="$out" --swift_opt=Visibility=Package \
    --swift_opt=UseAccessLevelOnImports=true --swift_opt=FileNaming=PathToUnderscores "${compiled[@]}"
protoc "${includes[@]}" --include_imports --descriptor_set_out="$out/descriptors.bin" "${files[@]}"

rm -rf "$generated"
mkdir -p "$generated"
for file in "$out"/*.swift; do
    # The style is the generator's own. Without the server there is no SwiftProtobuf to compile against.
    { echo '// swift-format-ignore-file'; echo '#if Server'; sed 's/[[:blank:]]*$//' "$file"; echo '#endif'; } >"$generated/$(basename "$file")"
done
python3 - "$out/descriptors.bin" >"$generated/FileDescriptors.swift" <<'PYTHON'
import base64
import sys
import textwrap

with open(sys.argv[1], "rb") as file:
    text = base64.b64encode(file.read()).decode()
print("// swift-format-ignore-file")
print("// Made by scripts/make_protocol.sh from the files in Protos/. Do not edit.\n")
print("#if Server")
print("/// The protocol's files as a google.protobuf.FileDescriptorSet in base64: one string literal costs the compiler")
print("/// next to nothing, an array literal of as many bytes a lot.")
print('package let fileDescriptorSetBase64 = """')
print("\\\n".join(f"    {line}" for line in textwrap.wrap(text, 110)))
print('    """')
print("#endif")
PYTHON
echo "$generated: $(ls "$generated" | wc -l) files, $(cat "$generated"/* | wc -l) lines"
