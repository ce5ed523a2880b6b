#!/usr/bin/env bash
# The whole test suite: our own tests, then what the compiler writes, held against third-party engines.
#
#   bash tests/run.sh            everything
#   bash tests/run.sh --quick    our own tests only, which need no network and no other language
#
# An engine that cannot be installed is a named skip; with CI=true or DETC_REQUIRE_ORACLES=1 it is a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

quick=false
case "${1:-}" in
    "") ;;
    --quick) quick=true ;;
    *)
        echo "usage: tests/run.sh [--quick]" >&2
        exit 2
        ;;
esac

required=false
[[ "${CI:-}" == true || "${DETC_REQUIRE_ORACLES:-}" == 1 ]] && required=true

target="${CARGO_TARGET_DIR:-$PWD/target}"
export CARGO_TARGET_DIR="$target"
detc="$target/release/detc"
work="$target/oracles"
python="$work/python/bin/python"
export DETC_KQL_MODULES="$work/node"
sarif_schema="$work/node/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
# A fixed day: an exception that expires must not turn a test red on a morning when nobody changed a line.
today=2026-11-30
passed=0 failed=0 skipped=0 summary=()

# step NAME COMMAND..: runs the command, goes on whatever comes of it.
step() {
    local name=$1 start=$SECONDS status=0
    shift
    printf '\n== %s\n' "$name"
    # A shell of its own in the background, because `set -e` is switched off inside whatever an `if` tests.
    (set -e && "$@") 2>&1 &
    wait $! || status=$?
    if ((status == 0)); then
        passed=$((passed + 1)) summary+=("passed   $name ($((SECONDS - start)) s)")
    else
        failed=$((failed + 1)) summary+=("FAILED   $name (exit $status, $((SECONDS - start)) s)")
    fi
    return 0
}

# step_on_output NAME COMMAND..: a step that reads what the compiler wrote.
step_on_output() {
    if [[ -s "$work/dist/manifest.json" ]]; then
        step "$@"
    else
        failed=$((failed + 1)) summary+=("FAILED   $1: nothing was compiled")
    fi
}

# skip NAME REASON
skip() {
    if $required; then
        failed=$((failed + 1)) summary+=("FAILED   $1: $2, and this run requires it")
    else
        skipped=$((skipped + 1)) summary+=("skipped  $1: $2")
    fi
}

# Runs in a subshell of `step`, so `set -e` ends it at the first failure.
sources() {
    sources=(detections)
    if [[ -n "$(find examples -name '*.yml' -print -quit 2>/dev/null)" ]]; then sources+=(examples); fi
}

check_detections() {
    sources
    "$detc" check "${sources[@]}" --today "$today"
}

run_their_tests() {
    sources
    "$detc" test "${sources[@]}" --today "$today"
}

compile_into() {
    local status=0
    "$detc" compile "${sources[@]}" -t splunk,sentinel,elastic,sigma -o "$1" --today "$today" 2>"$1.log" || status=$?
    # 1 says that some detection is unsupported on some target; the manifest is then held to say which and why.
    if ((status > 1)); then
        cat "$1.log"
        return "$status"
    fi
    test -s "$1/manifest.json"
}

compile_twice() {
    sources
    mkdir -p "$work"
    compile_into "$work/dist"
    # Another zone, language, order of folders and number of threads: the bytes may depend on none of them.
    if ((${#sources[@]} == 2)); then sources=("${sources[1]}" "${sources[0]}"); fi
    TZ=Asia/Kathmandu LC_ALL=C RAYON_NUM_THREADS=1 compile_into "$work/dist.again"
    diff --recursive --brief "$work/dist" "$work/dist.again"
    echo "$(find "$work/dist" -type f | wc -l) files, twice the same"
}

# Random detections and logs, and events that no source would send: far more of them than a plain `cargo test` tries.
hunt() {
    PROPTEST_CASES=10000 cargo test --release --locked --test brute
    DETC_FUZZ_EVENTS=100000 cargo test --release --locked --test fuzz
}

check_manifest() {
    sources
    python3 tests/oracles/manifest_check.py --self-test
    python3 tests/oracles/manifest_check.py "$work/dist" "${sources[@]}"
}

check_columns() {
    "$python" tests/oracles/columns_check.py --self-test
    "$python" tests/oracles/columns_check.py tests/oracles/tables.json targets/sentinel/fields schemas/sources
}

# Prints the lines of a report that name an error, and fails when the command did.
failing_lines() {
    local report=$1 status=0
    shift
    "$@" >"$report" || status=$?
    grep --invert-match --fixed-strings '"errors":[]' "$report" | grep --invert-match --fixed-strings '"errors": []' || true
    return "$status"
}

check_kql() {
    node tests/oracles/kql_check.mjs tests/oracles/tables.json --self-test
    failing_lines "$work/kql.jsonl" node tests/oracles/kql_check.mjs tests/oracles/tables.json "$work/dist/sentinel"
}

# The emitted text executed, against the reference evaluator on the same events.
execute_splunk() {
    sources
    "$python" tests/oracles/differential --target splunk --detc "$detc" --self-test --project "${sources[@]}" --edges --random 2000 --classes 500 --evidence "$work/evidence/splunk.json"
}

seed_faults() {
    "$python" tests/oracles/differential/faults.py --target "$1" --detc "$detc"
}

execute_kql() {
    sources
    "$python" tests/oracles/differential --target sentinel --detc "$detc" --self-test --project "${sources[@]}" --edges --random 2000 --classes 500 --evidence "$work/evidence/sentinel.json"
}

execute_elastic() {
    sources
    "$python" tests/oracles/differential --target elastic --detc "$detc" --self-test --project "${sources[@]}" --edges --random 2000 --classes 500 --evidence "$work/evidence/elastic.json"
}

# What the interpreter computes, against a third party's translation to SQL.
cross_kql() {
    "$work/duckdb/bin/python" tests/oracles/kql_duckdb.py tests/oracles/tables.json --self-test
    "$python" tests/oracles/kql_cross.py --detc "$detc" --twins
}

# A cargo project of its own, so that the crates behind it are no dependencies of ours.
build_sigma_engine() { cargo build --locked --manifest-path tests/oracles/sigma_engine/Cargo.toml --target-dir "$work/sigma_engine"; }

execute_sigma() {
    sources
    build_sigma_engine
    "$python" tests/oracles/differential --target sigma --detc "$detc" --self-test --project "${sources[@]}" --edges --random 2000 --evidence "$work/evidence/sigma.json"
}

check_eql() {
    "$python" tests/oracles/eql_check.py --self-test
    failing_lines "$work/eql.jsonl" "$python" tests/oracles/eql_check.py "$work/dist/elastic" targets/elastic/fields schemas/sources
}

check_esql() {
    "$python" tests/oracles/esql_check.py --self-test
    failing_lines "$work/esql.jsonl" "$python" tests/oracles/esql_check.py "$work/dist/elastic" targets/elastic/fields schemas/sources
}

check_sigma() {
    "$python" tests/oracles/sigma_check.py --self-test
    "$python" tests/oracles/sigma_check.py "$work/dist/sigma"
    # The two validators left out download ATT&CK and D3FEND when they run.
    "$work/python/bin/sigma" check --fail-on-issues -x attacktag -x d3_fendtag "$work/dist/sigma"
}

# That another tool can use what we write, not that its translation is right: for that see the other steps.
convert_sigma() {
    local convertible=()
    # The Splunk backend knows neither ordered nor numeric correlations nor `cased`, and stops at the first file that has one.
    mapfile -t convertible < <(grep --recursive --files-without-match --extended-regexp --include='*.yml' \
        '^ *type: *"?(temporal_ordered|value_sum|value_avg)\b|\|cased\b' "$work/dist/sigma" | sort)
    ((${#convertible[@]} > 0))
    "$work/python/bin/sigma" convert -t splunk --without-pipeline --output "$work/sigma.spl" "${convertible[@]}"
    test -s "$work/sigma.spl"
    echo "${#convertible[@]} of $(find "$work/dist/sigma" -name '*.yml' | wc -l) files converted"
}

check_sarif() {
    local status=0
    "$python" tests/oracles/schema_check.py --self-test "$sarif_schema"
    rm -rf "$work/broken" && mkdir -p "$work/broken/detections"
    # Three mistakes: an unknown field, a value that the source never sends, and an unknown key.
    cat >"$work/broken/detections/broken_on_purpose.yml" <<'YAML'
detection: broken_on_purpose
id: 8d0a6a3e-91c5-4d0e-8d4b-0f4b2c8f7a10
title: A detection that must not compile
status: experimental
severity: low
description: Every part of it that the compiler has to refuse is refused at its own place.
signals:
  call:
    source: aws.cloudtrail
    where: eventNaem == "CreateUser"
    wher: eventName == "CreateUser"
behavior: count(call) >= 5 by userIdentity.arm within 10m
YAML
    (cd "$work/broken" && "$detc" check detections --format sarif >report.sarif 2>report.log) || status=$?
    if ((status != 1)); then
        echo "a broken detection gave exit code $status instead of 1"
        cat "$work/broken/report.log"
        return 1
    fi
    "$python" tests/oracles/schema_check.py sarif "$sarif_schema" "$work/broken/report.sarif"
}

check_schema() { "$python" tests/oracles/schema_check.py schema schemas/detection.schema.json; }

# install PROGRAM [GROUP]: whether the engines that the program runs are there, said once for the steps that need them.
install() {
    command -v "$1" >/dev/null || return 1
    local group="${2:-$1}" start=$SECONDS
    bash tests/oracles/provision.sh "$group" >&2 || return 1
    echo "engines of group $group ready ($((SECONDS - start)) s)"
}

step "cargo test" cargo test --locked
if ! $quick; then
    # What an earlier run built or compiled says nothing about this one.
    rm -rf "$detc" "$work/dist" "$work/dist.again"
    step "release build" cargo build --release --locked
    step "detections are valid" check_detections
    step "tests of detections pass" run_their_tests
    step "evaluator agrees with brute force" hunt
    step "compiled twice, same bytes" compile_twice
    step_on_output "manifest and files agree" check_manifest

    printf '\n== third-party engines\n'
    has_python=false has_duckdb=false has_node=false
    if install python3 duckdb; then has_duckdb=true; fi
    if install python3 python; then has_python=true; fi
    if install node; then has_node=true; fi
    if $has_node; then
        step_on_output "KQL binds (kusto language service)" check_kql
    else
        skip "KQL binds (kusto language service)" "no Node engines"
    fi
    if $has_python; then
        step "field maps name real columns" check_columns
        step_on_output "EQL parses (py-eql)" check_eql
        step_on_output "ES|QL parses (Elastic's grammar)" check_esql
        step "SPL gives the evaluator's hits (interpreter)" execute_splunk
        step "faults in SPL are noticed" seed_faults splunk
        step "EQL and ES|QL give the evaluator's hits (interpreters)" execute_elastic
        step "faults in EQL and ES|QL are noticed" seed_faults elastic
        step_on_output "Sigma loads (pySigma, sigma check)" check_sigma
        step_on_output "Sigma converts (sigma convert)" convert_sigma
        if [[ "$(printf '%s\n' 1.95.0 "$(rustc --version | cut -d' ' -f2)" | sort --version-sort | head -n 1)" == 1.95.0 ]]; then
            step "Sigma gives the evaluator's hits (rsigma-eval)" execute_sigma
            step "faults in Sigma are noticed" seed_faults sigma
        else
            skip "faults in Sigma are noticed" "rsigma-eval needs Rust 1.95"
            skip "Sigma gives the evaluator's hits (rsigma-eval)" "rsigma-eval needs Rust 1.95"
        fi
        step "detection schema is 2020-12" check_schema
    else
        for name in "field maps name real columns" "EQL parses (py-eql)" "ES|QL parses (Elastic's grammar)" \
            "SPL gives the evaluator's hits (interpreter)" "faults in SPL are noticed" \
            "EQL and ES|QL give the evaluator's hits (interpreters)" "faults in EQL and ES|QL are noticed" "Sigma loads (pySigma, sigma check)" \
            "Sigma converts (sigma convert)" "Sigma gives the evaluator's hits (rsigma-eval)" \
            "faults in Sigma are noticed" "detection schema is 2020-12"; do
            skip "$name" "no Python engines"
        done
    fi
    if $has_python && $has_duckdb && $has_node; then
        step "KQL interpreter agrees with duckdb-kql" cross_kql
    else
        skip "KQL interpreter agrees with duckdb-kql" "no Python, no duckdb-kql or no Node engines"
    fi
    if $has_python && $has_node; then
        step "KQL gives the evaluator's hits (interpreter)" execute_kql
        step "faults in KQL are noticed" seed_faults sentinel
        step "SARIF is valid (published schema)" check_sarif
    else
        skip "KQL gives the evaluator's hits (interpreter)" "no Python or no Node engines"
        skip "faults in KQL are noticed" "no Python or no Node engines"
        skip "SARIF is valid (published schema)" "no Python or no Node engines"
    fi
fi

printf '\n'
printf '%s\n' "${summary[@]}"
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((failed == 0))
