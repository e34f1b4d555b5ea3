#!/bin/bash
# run.sh BINARY PORT FOLDER: serve FOLDER on PORT until Ctrl-C, and say where and what next once it is ready.
set -eu
binary=$1 port=$2 folder=$3
mkdir -p "$folder"
export QDRANT__SERVICE__HTTP_PORT=$port
export QDRANT__SERVICE__GRPC_PORT=${QDRANT__SERVICE__GRPC_PORT:-$((port + 1))}
export QDRANT__STORAGE__STORAGE_PATH=${QDRANT__STORAGE__STORAGE_PATH:-./$folder/storage}
export QDRANT__STORAGE__SNAPSHOTS_PATH=${QDRANT__STORAGE__SNAPSHOTS_PATH:-./$folder/snapshots}
"$binary" &
server=$!
trap 'kill -TERM $server 2>/dev/null || true' INT TERM
ready() { (exec 3<>"/dev/tcp/127.0.0.1/$port" && printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3 && head -1 <&3 | grep -q ' 200') 2>/dev/null; }
for _ in $(seq 600); do
    kill -0 $server 2>/dev/null || break
    if ready; then
        cat <<TEXT

Octant serves http://localhost:$port (gRPC on port $QDRANT__SERVICE__GRPC_PORT) and keeps its data in ./$folder. Ctrl-C stops it.
Next, from another terminal:

  curl -X PUT http://localhost:$port/collections/test -H 'Content-Type: application/json' \\
       -d '{"vectors": {"size": 4, "distance": "Cosine"}}'

or with Python (pip install qdrant-client):

  from qdrant_client import QdrantClient
  print(QdrantClient(url="http://localhost:$port").get_collections())

TEXT
        break
    fi
    sleep 0.1
done
status=0
while kill -0 $server 2>/dev/null; do wait $server && status=0 || status=$?; done
[ $status -lt 128 ] || [ $status -eq 143 ] && status=0 || true
exit $status
