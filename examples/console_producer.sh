#!/usr/bin/env bash
# Writes to Headwater from a shell: lines of JSON, through Kafka's own kafka-console-producer.
#
# Start Kafka, a projector and an api first (examples/README.md says how). KAFKA_HOME names an installation of Kafka;
# without one the tool comes from the jars that scripts/kafka fetched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

KAFKA="${KAFKA:-localhost:9092}"
TOPIC="${TOPIC:-headwater.points}"
URL="${URL:-http://localhost:6333}"
# A name of this example's own: a second run starts afresh.
NAME=notes-by-kafka

console_producer() {
    if [[ -n "${KAFKA_HOME:-}" ]]; then
        "$KAFKA_HOME/bin/kafka-console-producer.sh" "$@"
    else
        scripts/kafka run kafka-console-producer "$@"
    fi
}

request() {
    curl --silent --show-error --fail-with-body --header 'Content-Type: application/json' \
        --request "$1" "$URL/collections/$NAME$2" ${3:+--data "$3"}
    echo
}

# Tells how many points there are, once there are as many as should be.
wait_for() {
    until [[ "$(request POST /points/count '{}')" == *"\"count\":$1}"* ]]; do
        sleep 0.05
    done
    echo "$NAME has $1 points"
}

request DELETE ''
request PUT '' '{"vectors": {"size": 3, "distance": "Cosine"}}'

# A line is a key, a "|" and a value. A key keeps the records of a point in order.
console_producer --bootstrap-server "$KAFKA" --topic "$TOPIC" \
    --property parse.key=true --property 'key.separator=|' <<'LINES'
1|{"collection_name": "notes-by-kafka", "id": 1, "vector": [1, 0, 0], "payload": {"text": "buy bread"}}
2|{"collection_name": "notes-by-kafka", "id": 2, "vector": [0, 1, 0], "payload": {"text": "call Ada"}}
3|{"collection_name": "notes-by-kafka", "id": 3, "vector": [0, 0, 1], "payload": {"text": "water the plants"}}
1|{"collection_name": "notes-by-kafka", "operation": "set_payload", "points": [1], "payload": {"done": true}}
LINES
wait_for 3
request POST /points/search '{"vector": [1, 0.1, 0], "limit": 1, "with_payload": true}'

# A tombstone, which deletes the point in its key: the header names its collection, and NULL stands for no value.
console_producer --bootstrap-server "$KAFKA" --topic "$TOPIC" \
    --property parse.headers=true --property parse.key=true --property 'key.separator=|' \
    --property 'headers.delimiter=|' --property null.marker=NULL <<'LINES'
collection_name:notes-by-kafka|2|NULL
LINES
wait_for 2
