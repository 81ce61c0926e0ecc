#!/bin/bash
# The health check: a version of the model has to be AVAILABLE. TensorFlow Serving's image has neither curl nor Python.
model=${1:-fashion}
exec 2>/dev/null
exec 3<>/dev/tcp/127.0.0.1/8501 || { echo "not ready: TensorFlow Serving does not listen yet"; exit 1; }
printf 'GET /v1/models/%s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$model" >&3
answer=$(cat <&3)
case $answer in
  *'"AVAILABLE"'*) echo "ready" ;;
  *'"LOADING"'* | *'"START"'*) echo "not ready: $model is still being loaded"; exit 1 ;;
  *error_message*) # the last reason given
    reason=$(grep -o '"error_message": *"[^"]\+' <<<"$answer" | tail -n 1 | cut -d'"' -f4 | cut -c 1-160)
    echo "not ready: no version of $model is loaded${reason:+: $reason}; is MODELS_DIR right, and was the whole version folder copied?"
    exit 1
    ;;
  *) echo "not ready: there is no version of $model in MODELS_DIR"; exit 1 ;;
esac
