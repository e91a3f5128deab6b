# bash completion of qosmark; made by packaging/completions/make from --help; do not edit

_qosmark() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
    local options= values=
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'audit live probe trace reflect generate compare collect report policy doctor --help --version' -- "$cur")
        return
    fi
    # --option=value comes as three words
    if [ "$cur" = = ]; then cur=; elif [ "$prev" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
    case $command:$prev in
    audit:--policy | audit:--mmp | audit:--output | audit:--write-violations | audit:--anonymize-key | audit:-p | audit:-o) values='@file' ;;
    audit:--node | audit:--discover | audit:--resolver | audit:--violations-max | audit:--point | audit:--jobs | audit:-n | audit:-j) values='@none' ;;
    audit:--format | audit:-f) values='text json jsonl csv html' ;;
    audit:--layer) values='inner outer' ;;
    audit:--color) values='auto always never' ;;
    live:--interface | live:-i) values='@iface' ;;
    live:--policy | live:--mmp | live:--output | live:--write-violations | live:--anonymize-key | live:--nats-config | live:--spill | live:-p | live:-o) values='@file' ;;
    live:--node | live:--discover | live:--resolver | live:--point | live:--filter | live:--duration | live:--packets | live:--interval | live:--idle | live:--listen | live:--violations-max | live:--violations-files | live:--publish | live:--site | live:--spill-max | live:--partitions | live:--stream-age | live:--stream-max | live:--buffer | live:--snaplen | live:-n) values='@none' ;;
    live:--format | live:-f) values='text json jsonl csv html' ;;
    live:--user) values='@user' ;;
    live:--layer) values='inner outer' ;;
    live:--color) values='auto always never' ;;
    probe:--policy | probe:--mmp | probe:--key-file | probe:--output | probe:-p | probe:-o) values='@file' ;;
    probe:--node | probe:--discover | probe:--resolver | probe:--count | probe:--interval | probe:--duration | probe:--size | probe:--rate | probe:--load | probe:--timeout | probe:--max-rtt | probe:--max-loss | probe:--max-jitter | probe:--every | probe:--listen | probe:--port | probe:--flows | probe:--ssid | probe:--source | probe:--jobs | probe:--domain | probe:-n | probe:-c | probe:-i | probe:-j) values='@none' ;;
    probe:--service) values='sip xmpp https stun' ;;
    probe:--classes | probe:--class) values='voice assured-voice multimedia assured-multimedia multimedia-streaming signaling low-latency oa\\\&m' ;;
    probe:--ports) values='any media' ;;
    probe:--engine) values='udp libnet' ;;
    probe:--format | probe:-f) values='text json jsonl csv html' ;;
    probe:--color) values='auto always never' ;;
    probe:--transport) values='udp tcp tls' ;;
    trace:--policy | trace:--mmp | trace:--output | trace:-p | trace:-o) values='@file' ;;
    trace:--node | trace:--discover | trace:--resolver | trace:--port | trace:--classes | trace:--flows | trace:--first-hop | trace:--max-hops | trace:--queries | trace:--retries | trace:--timeout | trace:--rate | trace:--source | trace:--jobs | trace:-n | trace:-j) values='@none' ;;
    trace:--proto) values='udp tcp icmp' ;;
    trace:--engine) values='libnet udp' ;;
    trace:--format | trace:-f) values='text json jsonl csv html' ;;
    trace:--color) values='auto always never' ;;
    reflect:--bind | reflect:--port | reflect:--allow | reflect:--max-sessions | reflect:--duration | reflect:-b | reflect:-a) values='@none' ;;
    reflect:--key-file) values='@file' ;;
    reflect:--rate-limit) values='none' ;;
    reflect:--user) values='@user' ;;
    reflect:--format | reflect:-f) values='text json' ;;
    generate:--output | generate:--truth | generate:--policy | generate:--mmp | generate:-o | generate:-p) values='@file' ;;
    generate:--format | generate:-f) values='pcap pcapng' ;;
    generate:--interface | generate:-i) values='@iface' ;;
    generate:--to | generate:--rate | generate:--calls | generate:--webrtc | generate:--xmpp | generate:--duration | generate:--seed | generate:--start | generate:--vlan | generate:--loss | generate:--jitter | generate:--reorder | generate:--duplicate | generate:--streams | generate:--packets | generate:--size | generate:--node | generate:--discover | generate:--resolver | generate:-n) values='@none' ;;
    generate:--sip) values='udp tcp both' ;;
    generate:--link) values='ethernet raw' ;;
    generate:--fault) values='bleached tos-precedence-bleached tos-precedence-remarked low-bits-bleached remarked unshifted never-marked one-way changed-midstream intermittent unmarked-start rtcp-differs class-swapped tunnel-differs unentitled-priority not-verifiable' ;;
    compare:--policy | compare:--mmp | compare:--output | compare:--anonymize-key | compare:-p | compare:-o) values='@file' ;;
    compare:--node | compare:--discover | compare:--resolver | compare:--jobs | compare:-n | compare:-j) values='@none' ;;
    compare:--format | compare:-f) values='text json jsonl csv html' ;;
    compare:--layer) values='inner outer' ;;
    compare:--color) values='auto always never' ;;
    collect:--nats | collect:--node | collect:--discover | collect:--resolver | collect:--partitions | collect:--window | collect:--grace | collect:--look | collect:--lease | collect:--keep | collect:--name | collect:--listen | collect:--since | collect:--duration | collect:--stream-age | collect:--stream-max | collect:-n) values='@none' ;;
    collect:--nats-config | collect:--history | collect:--topology | collect:--policy | collect:--mmp | collect:--rows | collect:--output | collect:-p | collect:-o) values='@file' ;;
    collect:--format | collect:-f) values='text json jsonl csv html' ;;
    collect:--color) values='auto always never' ;;
    report:--policy | report:--mmp | report:--output | report:--anonymize-key | report:-p | report:-o) values='@file' ;;
    report:--node | report:--discover | report:--resolver | report:--jobs | report:-n | report:-j) values='@none' ;;
    report:--format | report:-f) values='text json jsonl csv html' ;;
    report:--color) values='auto always never' ;;
    policy:--policy | policy:--mmp | policy:--output | policy:-p | policy:-o) values='@file' ;;
    policy:--node | policy:--discover | policy:--resolver | policy:-n) values='@none' ;;
    policy:--to) values='yaml mmp ios nft wireshark' ;;
    policy:--from) values='yaml mmp' ;;
    doctor:--format | doctor:-f) values='text json' ;;
    doctor:--output | doctor:-o) values='@file' ;;
    doctor:--color) values='auto always never' ;;
    esac
    case $values in
    '') ;;
    @none) return ;;
    @file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    @iface) mapfile -t COMPREPLY < <(compgen -W "any $(cd /sys/class/net && echo *)" -- "$cur"); return ;;
    @user) mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur"); return ;;
    esac
    case $command in
    audit) options='-p -n -f -o -q -v -j -h --policy --mmp --node --discover --resolver --format --output --write-violations --violations-max --anonymize --anonymize-key --point --separate --layer --ignore-signalling --mask-payload-types --explain --quiet --verbose --jobs --color --help --version' ;;
    live) options='-i -p -n -f -o -q -v -h --interface --policy --mmp --node --discover --resolver --point --filter --every-packet --promiscuous --duration --packets --interval --idle --format --output --listen --write-violations --violations-max --violations-files --syslog --user --anonymize --anonymize-key --publish --site --nats-config --spill --spill-max --partitions --stream-age --stream-max --layer --ignore-signalling --mask-payload-types --buffer --snaplen --immediate --hardware-time --no-screen --quiet --verbose --color --try-forbidden --help --version' ;;
    probe) options='-p -n -c -i -4 -6 -f -o -q -v -j -h --policy --mmp --node --discover --resolver --service --nodes --classes --count --interval --duration --size --rate --load --timeout --max-rtt --max-loss --max-jitter --continuous --every --listen --port --ports --flows --ssid --key-file --engine --ipv4 --ipv6 --source --dry-run --packets --format --output --quiet --verbose --jobs --color --help --version --transport --domain --class' ;;
    trace) options='-p -n -4 -6 -f -o -q -v -j -h --policy --mmp --node --discover --resolver --proto --port --classes --flows --first-hop --max-hops --queries --retries --timeout --rate --ipv4 --ipv6 --source --engine --dry-run --format --output --quiet --verbose --jobs --color --help --version' ;;
    reflect) options='-b -a -f -q -h --bind --port --allow --stateful --max-sessions --key-file --rate-limit --no-cos-reply --duration --user --try-forbidden --format --quiet --help --version' ;;
    generate) options='-o -f -i -6 -p -n -q -v -h --output --format --truth --interface --to --rate --dry-run --calls --webrtc --xmpp --sip --no-video --no-slides --duration --seed --start --ipv6 --mixed --vlan --link --fault --loss --jitter --reorder --duplicate --streams --packets --size --policy --mmp --node --discover --resolver --quiet --verbose --help --version' ;;
    compare) options='-p -n -f -o -q -v -j -h --policy --mmp --node --discover --resolver --format --output --layer --anonymize --anonymize-key --quiet --verbose --jobs --color --help --version' ;;
    collect) options='-p -n -f -o -q -v -h --nats --nats-config --history --topology --policy --mmp --node --discover --resolver --partitions --window --grace --look --lease --keep --name --rows --listen --since --duration --report-only --stream-age --stream-max --format --output --quiet --verbose --color --help --version' ;;
    report) options='-p -n -f -o -q -v -j -h --policy --mmp --node --discover --resolver --format --output --anonymize --anonymize-key --quiet --verbose --jobs --color --help --version' ;;
    policy) options='-p -n -o -h --policy --mmp --node --discover --resolver --to --from --output --help --version' ;;
    doctor) options='-f -o -q -h --format --output --quiet --color --help --version' ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        return
    fi
    case $command in
    policy)
        if [ "$COMP_CWORD" -eq 2 ]; then
            mapfile -t COMPREPLY < <(compgen -W 'show check convert' -- "$cur")
            return
        fi
        ;;
    esac
    case $command in
    audit | compare | policy | report)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        ;;
    esac
}
complete -F _qosmark qosmark
