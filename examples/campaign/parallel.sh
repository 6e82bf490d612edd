#!/bin/sh
# Explores a scenario in shares, several at once, and merges what they found. What was done stays done: run it again
# after an interruption, and only the shares that are missing are run.
set -eu
scenario=$1 seeds=$2 shares=$3 folder=$4

mkdir -p "$folder"
seq "$shares" | parallel --joblog "$folder/jobs.log" --resume-failed --retries 3 \
  linefault explore "$scenario" --seeds "$seeds" --workers 1 \
  --shard "{}/$shares" --out "$folder/part-{}.jsonl"
linefault merge "$folder"/part-*.jsonl --out "$folder/whole.jsonl"
