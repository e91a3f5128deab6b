#!/bin/sh
# Bad input gets one clear sentence on standard error, the exit status of the contract, and leaves nothing behind.
#
# usage: bad_input.sh QOSMARK CAPTURES-DIR
set -u
qosmark=$1
captures=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
checked=0

# expect NAME STATUS WORDS -- ARGUMENTS...: the exit status, and one line on standard error with these words in it
expect() {
    name=$1 status=$2 words=$3
    shift 4
    "$qosmark" "$@" >"$tmp/out" 2>"$tmp/err"
    got=$?
    checked=$((checked + 1))
    if [ "$got" -ne "$status" ]; then
        echo "$name: exit $got instead of $status: $(head -c 300 "$tmp/err")"
        failed=$((failed + 1))
    elif ! grep -qiF -- "$words" "$tmp/err"; then
        echo "$name: nothing of \"$words\" in: $(cat "$tmp/err")"
        failed=$((failed + 1))
    elif [ "$(wc -l <"$tmp/err")" -ne 1 ]; then
        echo "$name: not one line: $(cat "$tmp/err")"
        failed=$((failed + 1))
    fi
}

clean=$captures/clean-conference.pcapng
flawed=$captures/flawed-conference.pcapng

# --- captures ---
echo "this is a letter, not a capture" >"$tmp/letter.txt"
: >"$tmp/empty.pcap"
printf '\211PNG\r\n\032\n\000\000\000\rIHDR' >"$tmp/picture.pcap"
gzip -c "$tmp/letter.txt" >"$tmp/letter.gz"
head -c 3000 "$clean" >"$tmp/cut.pcapng"
head -c 10 "$clean" >"$tmp/stub.pcapng"
# a little-endian pcap of link type 147 (USER0) with one packet of four bytes
printf '\324\303\262\241\002\000\004\000\000\000\000\000\000\000\000\000\000\000\004\000\223\000\000\000\000\000\000\000\000\000\000\000\004\000\000\000\004\000\000\000abcd' >"$tmp/user.pcap"
expect "text file" 3 "letter.txt" -- audit "$tmp/letter.txt"
expect "empty file" 3 "empty" -- audit "$tmp/empty.pcap"
expect "picture" 3 "PNG" -- audit "$tmp/picture.pcap"
expect "compressed text" 3 "letter.gz" -- audit "$tmp/letter.gz"
expect "not there" 3 "nowhere.pcap" -- audit "$tmp/nowhere.pcap"
expect "directory" 3 "directory" -- audit "$tmp"
expect "stub" 3 "stub.pcapng" -- audit "$tmp/stub.pcapng"
expect "no capture named" 2 "needs a capture" -- audit
expect "standard input twice" 2 "once" -- audit - -
if [ "$(id -u)" -ne 0 ]; then
    cp "$clean" "$tmp/secret.pcapng" && chmod 000 "$tmp/secret.pcapng"
    expect "no permission" 3 "ermission" -- audit "$tmp/secret.pcapng"
fi
expect "unknown link type" 3 "link type 147" -- audit "$tmp/user.pcap"
"$qosmark" audit -f json "$tmp/user.pcap" 2>/dev/null | grep -q '"unsupported": 1' || { echo "unknown link type: not counted"; failed=$((failed + 1)); }
"$qosmark" audit -f json "$tmp/cut.pcapng" >"$tmp/out" 2>"$tmp/err"
status=$?
[ $status -eq 3 ] || [ $status -eq 1 ] || { echo "cut capture: exit $status"; failed=$((failed + 1)); }
grep -q '"complete": false' "$tmp/out" || { echo "cut capture: not said to be incomplete"; failed=$((failed + 1)); }
grep -q 'cut.pcapng' "$tmp/err" || { echo "cut capture: nothing said: $(cat "$tmp/err")"; failed=$((failed + 1)); }

# --- a capture in the middle of a series that cannot be read: the rest is done ---
"$qosmark" audit -f json "$clean" "$tmp/letter.txt" >"$tmp/out" 2>"$tmp/err"
[ $? -eq 3 ] || { echo "series with a letter in it: not exit 3"; failed=$((failed + 1)); }
grep -q '"verdict": "pass"' "$tmp/out" || { echo "series with a letter in it: the rest was not judged"; failed=$((failed + 1)); }

# --- policies ---
policy() { printf '%s\n' "version: 1" "name: test" "$@" >"$tmp/policy.yaml"; }
expect "a form for what is only shown" 2 "--to belongs to policy convert" -- policy show --to ios
policy "expect:" "  voise: EF"
expect "typo in a class" 2 "policy.yaml:4:3" -- audit -p "$tmp/policy.yaml" "$clean"
expect "nearest word" 2 "voice" -- audit -p "$tmp/policy.yaml" "$clean"
policy "expect:" "  voice: 0xB8"
expect "TOS byte for a DSCP" 2 "46" -- audit -p "$tmp/policy.yaml" "$clean"
policy "nodes:" "  - {name: cms-01, addresses: []}"
expect "node without addresses" 2 "policy.yaml:4:" -- audit -p "$tmp/policy.yaml" "$clean"
policy "expect: {voice: EF" 
expect "broken YAML" 2 "policy.yaml:" -- audit -p "$tmp/policy.yaml" "$clean"
expect "no such policy" 2 "nowhere.yaml" -- audit -p "$tmp/nowhere.yaml" "$clean"
printf 'dscp 4 voice 0xB8\n' >"$tmp/node.mmp"
expect "TOS byte in dscp lines" 2 "node.mmp:1" -- audit --mmp "$tmp/node.mmp" "$clean"
printf 'dscp 4 voise 0x2E\n' >"$tmp/node.mmp"
expect "typo in dscp lines" 2 "voice" -- audit --mmp "$tmp/node.mmp" "$clean"
expect "node without an address" 2 "cms-01" -- audit -n cms-01= "$clean"
expect "node with a bad address" 2 "10.1.1.999" -- audit -n cms-01=10.1.1.999 "$clean"

# --- options ---
expect "unknown option" 2 "did you mean --policy" -- audit --polcy x "$clean"
expect "unknown command" 2 "did you mean" -- audti "$clean"
expect "unknown format" 2 "xml" -- audit -f xml "$clean"
expect "quiet and verbose" 2 "contradict" -- audit -q -v "$clean"
expect "quiet json" 2 "--quiet" -- audit -q -f json "$clean"
expect "bad layer" 2 "inner or outer" -- audit --layer middle "$clean"
expect "missing argument" 2 "--policy needs" -- audit "$clean" --policy
expect "a file twice" 2 "twice" -- audit "$clean" "$clean"
expect "conversion to an unknown form" 2 "mmp, ios, nft" -- policy convert --to junos
expect "conversion of a file that is not there" 2 "nowhere.yaml" -- policy convert nowhere.yaml
expect "bad jobs" 2 "--jobs" -- audit -j none "$clean"
expect "resolver without a domain" 2 "--discover" -- audit --resolver 127.0.0.1 "$clean"

# --- saved records ---
"$qosmark" audit -f jsonl "$clean" >"$tmp/clean.jsonl"
"$qosmark" audit -f jsonl "$flawed" >"$tmp/flawed.jsonl"
head -c 5000 "$tmp/clean.jsonl" >"$tmp/cut.jsonl"
sed '2s/"proto": "[a-z]*"/"proto": "upd"/' "$tmp/clean.jsonl" >"$tmp/typo.jsonl"
sed '1s/stream.1/stream\/2/' "$tmp/clean.jsonl" | head -1 >"$tmp/newer.jsonl"
echo '{"schema": "qosmark.probe/1"}' >"$tmp/probe.json"
: >"$tmp/none.jsonl"
gzip -c "$tmp/clean.jsonl" | head -c 3000 >"$tmp/torn.jsonl.gz"
expect "no records named" 2 "needs saved records" -- report
expect "records that are not there" 3 "nowhere.jsonl" -- report "$tmp/nowhere.jsonl"
expect "a capture for records" 3 "qosmark audit" -- report "$clean"
expect "a letter for records" 3 "letter.txt" -- report "$tmp/letter.txt"
expect "records in a directory" 3 "directory" -- report "$tmp"
expect "records cut" 3 "cut.jsonl:3: the file ends in the middle" -- report "$tmp/cut.jsonl"
expect "a wrong record" 3 "typo.jsonl:2: \"proto\"" -- report "$tmp/typo.jsonl"
expect "records of a newer format" 3 "newer.jsonl:1: it is qosmark.stream/2, a newer format" -- report "$tmp/newer.jsonl"
expect "a document of another command" 3 "qosmark.probe/1" -- report "$tmp/probe.json"
expect "records in damaged gzip" 3 "torn.jsonl.gz" -- report "$tmp/torn.jsonl.gz"
expect "standard input twice for records" 2 "once" -- report - -
expect "unknown format of a report" 2 "xml" -- report -f xml "$tmp/clean.jsonl"
expect "quiet and verbose report" 2 "contradict" -- report -q -v "$tmp/clean.jsonl"
expect "quiet json report" 2 "--quiet" -- report -q -f json "$tmp/clean.jsonl"
expect "bad jobs of a report" 2 "--jobs" -- report -j 0 "$tmp/clean.jsonl"
expect "a policy that is not there for records" 2 "nowhere.yaml" -- report -p "$tmp/nowhere.yaml" "$tmp/clean.jsonl"
expect "a key that is not there" 2 "nowhere.key" -- report --anonymize-key "$tmp/nowhere.key" "$tmp/clean.jsonl"
expect "an operand too much" 2 "does not know what to do with" -- policy show "$tmp/policy.yaml"
"$qosmark" report -q "$tmp/none.jsonl" >"$tmp/out" 2>"$tmp/err"
[ $? -eq 4 ] || { echo "no record: not exit 4"; failed=$((failed + 1)); }
"$qosmark" report -q "$tmp/clean.jsonl" >"$tmp/out" 2>"$tmp/err"
[ $? -eq 0 ] || { echo "records of a clean conference: not exit 0"; failed=$((failed + 1)); }
"$qosmark" report -q "$tmp/clean.jsonl" "$tmp/flawed.jsonl" "$tmp/nowhere.jsonl" >"$tmp/out" 2>"$tmp/err"
[ $? -eq 1 ] || { echo "records of a flawed conference, and a file that is not there: not exit 1"; failed=$((failed + 1)); }
grep -q '^FAIL (INCOMPLETE)' "$tmp/out" || { echo "a file of records that is not there: not said: $(cat "$tmp/out")"; failed=$((failed + 1)); }
"$qosmark" report -f json "$tmp/typo.jsonl" 2>/dev/null | grep -q '"complete": false' || { echo "a wrong record: the report calls itself complete"; failed=$((failed + 1)); }
"$qosmark" report -o "$tmp/merged.json" -f json "$tmp/letter.txt" 2>/dev/null
[ ! -e "$tmp/merged.json" ] || { echo "a failed report left an output behind"; failed=$((failed + 1)); }

# --- outputs are complete or absent ---
expect "no place for the output" 3 "nowhere" -- audit -o "$tmp/nowhere/report.txt" "$clean"
expect "output is a directory" 3 "directory" -- audit -o "$tmp" "$clean"
"$qosmark" audit -o "$tmp/report.json" -f json "$tmp/letter.txt" 2>/dev/null
[ ! -e "$tmp/report.json" ] || { echo "a failed audit left an output behind"; failed=$((failed + 1)); }
echo old >"$tmp/kept.json"
"$qosmark" audit -o "$tmp/kept.json" -f json "$tmp/letter.txt" 2>/dev/null
[ "$(cat "$tmp/kept.json")" = old ] || { echo "a failed audit touched the old output"; failed=$((failed + 1)); }
"$qosmark" audit -o "$tmp/report.json" -f json "$flawed" 2>/dev/null
python3 -m json.tool "$tmp/report.json" >/dev/null || { echo "-o: not JSON"; failed=$((failed + 1)); }
[ "$(ls "$tmp" | grep -c 'report.json')" -eq 1 ] || { echo "-o: a temporary file was left behind"; failed=$((failed + 1)); }
"$qosmark" audit "$clean" >/dev/full 2>"$tmp/err"
[ $? -eq 3 ] || { echo "full disk: not exit 3"; failed=$((failed + 1)); }
grep -q 'standard output' "$tmp/err" || { echo "full disk: nothing said: $(cat "$tmp/err")"; failed=$((failed + 1)); }

echo "$checked messages checked, $failed wrong"
[ "$failed" -eq 0 ]
