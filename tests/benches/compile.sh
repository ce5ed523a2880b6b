#!/usr/bin/env bash
# Measures the compiler, and sigma-cli beside it on the same rules, in one run on one machine.
#
#   bash tests/benches/compile.sh [REPEATS]     the fastest of REPEATS (5) runs is shown
#
# It asserts nothing about time: a number from a busy machine is not a verdict.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

repeats="${1:-5}"
target="${CARGO_TARGET_DIR:-$PWD/target}"
export CARGO_TARGET_DIR="$target"
detc="$target/release/detc"
sigma="$target/oracles/python/bin/sigma"
work="$target/benches"
# As many as the cloud rules of the largest public collection, and as many as a large shop could ever have.
filters=225
behaviors=3000

cargo build --release --locked
has_sigma=true
bash tests/oracles/provision.sh python || has_sigma=false
rm -rf "$work" && mkdir -p "$work"
python3 tests/benches/generate.py behaviors "$behaviors" "$work/behaviors"
python3 tests/benches/generate.py filters "$filters" "$work/filters"

if ! /usr/bin/time -f %e true 2>/dev/null; then
    echo "GNU time is missing (Debian: apt-get install time); peak memory then includes the interpreter's own" >&2
fi

# once COMMAND..: prints wall seconds, CPU seconds (user and system) and peak KiB.
once() {
    if /usr/bin/time -f %e true 2>/dev/null; then
        /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$@" >"$work/out" 2>"$work/err" || return
        tail -n 1 "$work/time" | awk '{ print $1, $2 + $3, $4 }'
    else
        python3 - "$@" <<'PYTHON'
import resource, subprocess, sys, time
start = time.monotonic()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{time.monotonic() - start:.2f} {used.ru_utime + used.ru_stime:.2f} {used.ru_maxrss}")
sys.exit(status)
PYTHON
    fi
}

# measure NAME OUTPUT COMMAND..: the fastest run, as one row. OUTPUT is emptied before each run.
measure() {
    local name=$1 output=$2 run best="" line status
    shift 2
    for ((run = 0; run < repeats; run++)); do
        rm -rf "$output"
        status=0
        line="$(once "$@")" || status=$?
        # 1 is a finding (a detection that a target cannot say), which costs the time all the same.
        if ((status > 1)) || [[ -z "$line" && $status -ne 1 ]]; then
            printf '%-44s failed with exit code %d\n' "$name" "$status"
            sed 's/^/    /' "$work/err" 2>/dev/null | head -n 5
            return 0
        fi
        if [[ -z "$line" ]]; then line="$(tail -n 1 "$work/time" | awk '{ print $1, $2 + $3, $4 }')"; fi
        best="$(printf '%s\n%s\n' "$best" "$line" | sed '/^$/d' | sort -n | head -n 1)"
    done
    printf '%s\n' "$best" | awk -v name="$name" -v files="$(find "$output" -type f 2>/dev/null | wc -l)" \
        '{ printf "%-44s %9.2f %9.2f %9.1f %7d\n", name, $1, $2, $3 / 1024, files }'
}

printf '\n%-44s %9s %9s %9s %7s\n' "best of $repeats" "wall s" "cpu s" "peak MB" "files"
measure "detc --help" "$work/none" "$detc" --help
if $has_sigma; then measure "sigma --help" "$work/none" "$sigma" --help; fi
measure "detc, $behaviors behaviours to 4 targets" "$work/dist" \
    "$detc" compile "$work/behaviors" -t splunk,sentinel,elastic,sigma -o "$work/dist"
measure "detc, $filters filters to 4 targets" "$work/dist4" \
    "$detc" compile "$work/filters/detc" -t splunk,sentinel,elastic,sigma -o "$work/dist4"
measure "detc, $filters filters to splunk" "$work/dist1" "$detc" compile "$work/filters/detc" -t splunk -o "$work/dist1"
if $has_sigma; then
    # sigma-cli writes one file for all rules when its output is a file, which is its faster way.
    measure "sigma convert, $filters filters to splunk" "$work/sigma.spl" \
        "$sigma" convert -t splunk --without-pipeline --output "$work/sigma.spl" "$work/filters/sigma"
    printf '\n%d detc queries, %d sigma queries\n' "$(find "$work/dist1" -name '*.spl' 2>/dev/null | wc -l)" "$(grep -c . "$work/sigma.spl" 2>/dev/null || true)"
else
    echo "sigma-cli could not be installed, so nothing is compared with it"
fi
