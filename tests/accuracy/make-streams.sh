#!/bin/bash
# Makes labelled RTP captures with real software in a network namespace of its own, for tests/accuracy/accuracy.py.
#
# usage: make-streams.sh OUTDIR [design|report]
#
# OUTDIR/{design,report}/*.pcap and a STREAMS.tsv in each (one line a stream, with what it really was). The two halves
# differ in codecs' rates, frame rates and payload types: one to develop with, the other to report on. Needs root,
# ffmpeg, GStreamer (base, good, bad, ugly, libav), baresip, Chromium, Janus, tcpdump and nftables; what is missing is
# said and left out. Takes about seven minutes a half.
set -u
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -lt 1 ]; then
    sed -n '4,4s/^# //p' "$0" >&2
    exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
halves=${2:-design report}

if [ "${QOSMARK_INSIDE:-}" != yes ]; then
    [ "$(id -u)" = 0 ] || { echo "make-streams.sh: root is needed to make a network namespace" >&2; exit 3; }
    QOSMARK_INSIDE=yes exec unshare -n "$0" "$out" "$halves"
fi

# A browser wants an interface that is not loopback; its own traffic passes lo all the same.
ip link set lo up
ip link add media0 type veth peer name media1
ip addr add 10.9.0.1/24 dev media0
ip link set media0 up
ip link set media1 up
ip route add default via 10.9.0.2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
have() { command -v "$1" >/dev/null || { echo "left out: no $1" >&2; return 1; }; }
element() { gst-inspect-1.0 "$1" >/dev/null 2>&1 || { echo "left out: no GStreamer element $1" >&2; return 1; }; }

# capture NAME COMMAND...: runs the command with all of lo's UDP captured to NAME.pcap.
capture() {
    local to="$dir/$1.pcap"
    shift
    tcpdump -i lo -n -U -B 16384 -s 0 -w "$to" udp 2>/dev/null &
    local tcpdump=$!
    sleep 1
    "$@"
    sleep 1
    kill "$tcpdump"
    wait "$tcpdump" 2>/dev/null
}

# label NAME port NUMBER MEDIA CODEC | label NAME ssrc NUMBER MEDIA CODEC
label() { echo "$*" >>"$work/labels"; }

# ---- audio: sent live by GStreamer, all at once, told apart by port --------------------------------------------------
gst_audio() { # PORT PT CODEC SECONDS SOURCE-OPTIONS PIPELINE
    local pay="$6 pt=$2"
    label "$name" port "$1" audio "$3"
    timeout -s INT "$4" gst-launch-1.0 -q audiotestsrc is-live=true $5 ! audioconvert ! audioresample ! $pay \
        ! udpsink host=127.0.0.1 port="$1" >>"$work/gst.log" 2>&1 &
    pids+=($!)
}

audio_streams() {
    pids=()
    if [ "$half" = design ]; then
        gst_audio 20000 0 PCMU 9 "wave=ticks" "audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay max-ptime=20000000 min-ptime=20000000"
        gst_audio 20002 96 opus 9 "wave=pink-noise" "audio/x-raw,rate=48000,channels=2 ! opusenc bitrate=510000 bitrate-type=cbr ! rtpopuspay"
        gst_audio 20004 97 opus 9 "wave=sine" "audio/x-raw,rate=48000,channels=1 ! opusenc bitrate=12000 frame-size=60 ! rtpopuspay"
        gst_audio 20006 108 opus 9 "wave=ticks" "audio/x-raw,rate=48000,channels=1 ! opusenc bitrate=24000 frame-size=10 dtx=true ! rtpopuspay"
        gst_audio 20008 99 MP4A-LATM 9 "wave=pink-noise" "audio/x-raw,rate=48000,channels=2 ! avenc_aac bitrate=256000 ! rtpmp4apay"
        gst_audio 20010 98 mpeg4-generic 9 "wave=pink-noise" "audio/x-raw,rate=44100,channels=2 ! avenc_aac bitrate=96000 ! rtpmp4gpay"
        gst_audio 20012 14 MPA 9 "wave=pink-noise" "audio/x-raw,rate=48000,channels=2 ! avenc_mp2 bitrate=192000 ! mpegaudioparse ! rtpmpapay"
        gst_audio 20014 100 L16 6 "wave=pink-noise" "audio/x-raw,rate=48000,channels=2,format=S16BE ! rtpL16pay"
        gst_audio 20016 101 speex 9 "wave=ticks" "audio/x-raw,rate=16000,channels=1 ! speexenc ! rtpspeexpay"
        gst_audio 20018 3 GSM 9 "wave=sine" "audio/x-raw,rate=8000,channels=1 ! gsmenc ! rtpgsmpay"
        gst_audio 20020 102 AMR 9 "wave=sine" "audio/x-raw,rate=8000,channels=1 ! amrnbenc ! rtpamrpay"
        gst_audio 20022 8 PCMA 9 "wave=ticks" "audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay max-ptime=60000000 min-ptime=60000000"
    else
        gst_audio 20000 8 PCMA 9 "wave=ticks" "audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay max-ptime=30000000 min-ptime=30000000"
        gst_audio 20002 107 opus 9 "wave=pink-noise" "audio/x-raw,rate=48000,channels=2 ! opusenc bitrate=320000 frame-size=20 ! rtpopuspay"
        gst_audio 20004 119 opus 9 "wave=sine" "audio/x-raw,rate=48000,channels=1 ! opusenc bitrate=8000 frame-size=40 ! rtpopuspay"
        gst_audio 20006 100 opus 9 "wave=ticks" "audio/x-raw,rate=48000,channels=2 ! opusenc bitrate=64000 frame-size=5 ! rtpopuspay"
        gst_audio 20008 97 MP4A-LATM 9 "wave=pink-noise" "audio/x-raw,rate=32000,channels=2 ! avenc_aac bitrate=128000 ! rtpmp4apay"
        gst_audio 20010 101 mpeg4-generic 9 "wave=pink-noise" "audio/x-raw,rate=48000,channels=1 ! avenc_aac bitrate=64000 ! rtpmp4gpay"
        gst_audio 20012 14 MPA 9 "wave=pink-noise" "audio/x-raw,rate=44100,channels=2 ! avenc_mp2 bitrate=128000 ! mpegaudioparse ! rtpmpapay"
        gst_audio 20014 98 L16 6 "wave=pink-noise" "audio/x-raw,rate=44100,channels=1,format=S16BE ! rtpL16pay"
        gst_audio 20016 99 speex 9 "wave=ticks" "audio/x-raw,rate=8000,channels=1 ! speexenc ! rtpspeexpay"
        gst_audio 20018 9 G722 9 "wave=ticks" "audio/x-raw,rate=16000,channels=1 ! avenc_g722 ! rtpg722pay max-ptime=20000000 min-ptime=20000000"
        gst_audio 20020 109 opus 9 "wave=ticks" "audio/x-raw,rate=48000,channels=1 ! opusenc bitrate=16000 dtx=true ! rtpopuspay"
        gst_audio 20022 0 PCMU 9 "wave=ticks" "audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay max-ptime=10000000 min-ptime=10000000"
    fi
    wait "${pids[@]}"
}

# ---- audio again: by ffmpeg, which fills packets its own way ----------------------------------------------------------
ff_audio() { # PORT PT CODEC RATE CHANNELS OPTIONS...
    local port=$1 pt=$2 codec=$3 rate=$4 channels=$5
    shift 5
    label "$name" port "$port" audio "$codec"
    ffmpeg -v error -re -f lavfi -i "sine=frequency=300:sample_rate=$rate,tremolo=f=3:d=0.9,volume=2" -t 9 -ac "$channels" "$@" \
        -payload_type "$pt" -f rtp "rtp://127.0.0.1:$port?pkt_size=1200" </dev/null >/dev/null 2>>"$work/ff.log" &
    pids+=($!)
}
more_audio_streams() {
    pids=()
    if [ "$half" = design ]; then
        ff_audio 22000 4 G723 8000 1 -c:a g723_1 -b:a 6300
        ff_audio 22002 96 G726-32 8000 1 -c:a g726 -b:a 32k
        ff_audio 22004 97 opus 48000 2 -c:a libopus -b:a 32k -frame_duration 120
        ff_audio 22006 98 MP4A-LATM 48000 2 -c:a aac -b:a 128k -rtpflags latm
        ff_audio 22008 99 mpeg4-generic 32000 1 -c:a aac -b:a 48k
        ff_audio 22010 14 MPA 44100 2 -c:a libmp3lame -b:a 128k
        ff_audio 22012 100 L16 44100 1 -c:a pcm_s16be
        ff_audio 22014 101 speex 16000 1 -c:a libspeex -b:a 24k
        gst_audio 22100 102 AC3 9 "wave=pink-noise" "audio/x-raw,rate=48000,channels=2 ! avenc_ac3 bitrate=192000 ! ac3parse ! rtpac3pay"
        gst_audio 22102 103 vorbis 9 "wave=pink-noise" "audio/x-raw,rate=44100,channels=2 ! vorbisenc quality=0.4 ! rtpvorbispay"
    else
        ff_audio 22000 4 G723 8000 1 -c:a g723_1 -b:a 6300 -frames_per_packet 2
        ff_audio 22002 106 G726-16 8000 1 -c:a g726 -b:a 16k
        ff_audio 22004 107 opus 48000 1 -c:a libopus -b:a 20k -frame_duration 60
        ff_audio 22006 108 MP4A-LATM 24000 1 -c:a aac -b:a 40k -rtpflags latm
        ff_audio 22008 109 mpeg4-generic 48000 2 -c:a aac -b:a 192k
        ff_audio 22010 14 MPA 48000 2 -c:a libmp3lame -b:a 64k
        ff_audio 22012 110 L16 48000 2 -c:a pcm_s16be
        ff_audio 22014 111 speex 8000 1 -c:a libspeex -b:a 8k
        gst_audio 22100 112 L24 6 "wave=pink-noise" "audio/x-raw,rate=48000,channels=2,format=S24BE ! rtpL24pay max-ptime=1000000 min-ptime=1000000"
        gst_audio 22102 113 sbc 9 "wave=pink-noise" "audio/x-raw,rate=44100,channels=2 ! sbcenc ! rtpsbcpay"
    fi
    wait "${pids[@]}"
}

# ---- video: encoded beforehand, so that a slow machine does not bend its timing, then sent in real time ---------------
encode() { # FILE SECONDS FPS SIZE ENCODER-OPTIONS...
    local file=$1 seconds=$2 fps=$3 size=$4
    shift 4
    ffmpeg -v error -y -f lavfi -i "testsrc2=size=$size:rate=$fps" -t "$seconds" -an "$@" "$work/$file" </dev/null
}
ff_video() { # PORT PT CODEC FILE MTU OPTIONS...
    local port=$1 pt=$2 codec=$3 file=$4 mtu=$5
    shift 5
    label "$name" port "$port" video "$codec"
    ffmpeg -v error -re -i "$work/$file" -an -c:v copy "$@" -payload_type "$pt" -f rtp \
        "rtp://127.0.0.1:$port?pkt_size=$mtu" </dev/null >/dev/null 2>>"$work/ff.log" &
    pids+=($!)
}
gst_video() { # PORT PT CODEC FILE DEMUX-AND-PAY
    label "$name" port "$1" video "$3"
    timeout -s INT 15 gst-launch-1.0 -q filesrc location="$work/$4" ! $5 pt="$2" ! udpsink sync=true host=127.0.0.1 port="$1" \
        >>"$work/gst.log" 2>&1 &
    pids+=($!)
}

x264=(-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 300)
vpx=(-deadline realtime -cpu-used 8 -g 300)
video_files() {
    if [ "$half" = design ]; then
        encode a.mkv 9 30 640x360 "${x264[@]}" -b:v 1200k
        encode b.mkv 9 15 320x180 "${x264[@]}" -b:v 60k -maxrate 60k -bufsize 60k
        encode c.mkv 9 25 640x360 -c:v libx264 -preset veryfast -bf 2 -pix_fmt yuv420p -b:v 800k
        encode d.webm 9 30 320x180 -c:v libvpx "${vpx[@]}" -b:v 100k
        encode e.webm 9 24 320x180 -c:v libvpx-vp9 "${vpx[@]}" -b:v 200k
        encode f.avi 9 30000/1001 352x288 -c:v h263 -b:v 300k
        encode g.mkv 9 30 640x360 -c:v libx265 -preset ultrafast -x265-params log-level=error -b:v 400k
        encode h.mkv 20 5 640x360 "${x264[@]}" -b:v 40k
        encode j.avi 9 15 176x144 -c:v h263 -b:v 64k
        encode i.avi 9 25 320x240 -c:v mjpeg -q:v 12 -pix_fmt yuvj420p -huffman default
    else
        encode a.mkv 9 25 640x360 "${x264[@]}" -b:v 600k
        encode b.mkv 9 30 160x120 "${x264[@]}" -b:v 80k -maxrate 80k -bufsize 80k
        encode c.mkv 9 30 640x360 -c:v libx264 -preset veryfast -bf 3 -pix_fmt yuv420p -b:v 1500k
        encode d.webm 9 10 320x180 -c:v libvpx "${vpx[@]}" -b:v 60k
        encode e.webm 9 30 480x270 -c:v libvpx-vp9 "${vpx[@]}" -b:v 500k
        encode f.avi 9 15 176x144 -c:v h263p -b:v 100k
        encode g.mkv 9 24 320x180 -c:v libx265 -preset ultrafast -x265-params log-level=error -b:v 90k
        encode h.mkv 20 7 640x360 "${x264[@]}" -b:v 50k
        encode j.avi 9 25 352x288 -c:v h263 -b:v 200k
        encode i.avi 9 15 320x240 -c:v mjpeg -q:v 20 -pix_fmt yuvj420p -huffman default
    fi
}
video_streams() {
    pids=()
    local k=0
    [ "$half" = report ] && k=7
    ff_video 21000 $((96 + k)) H264 a.mkv 1200
    ff_video 21002 $((97 + k)) H264 b.mkv 1400
    ff_video 21004 $((98 + k)) H264 c.mkv 1400
    ff_video 21006 $((99 + k)) VP8 d.webm 1200
    ff_video 21008 $((100 + k)) VP9 e.webm 1200 -strict experimental
    ff_video 21010 $((101 + k)) H263-1998 f.avi 1400
    ff_video 21012 $((102 + k)) H265 g.mkv 1400
    ff_video 21014 $((103 + k)) H264 h.mkv 1400
    ff_video 21016 26 JPEG i.avi 1400
    gst_video 21100 $((104 + k)) H264 a.mkv "matroskademux ! h264parse ! rtph264pay config-interval=1 mtu=1200"
    gst_video 21102 $((105 + k)) H264 b.mkv "matroskademux ! h264parse ! rtph264pay aggregate-mode=zero-latency"
    gst_video 21104 $((106 + k)) VP8 d.webm "matroskademux ! rtpvp8pay"
    gst_video 21106 $((107 + k)) VP9 e.webm "matroskademux ! rtpvp9pay"
    gst_video 21108 $((108 + k)) H264 h.mkv "matroskademux ! h264parse ! rtph264pay aggregate-mode=zero-latency"
    ff_video 21110 34 H263 j.avi 1400 -rtpflags rfc2190
    gst_video 21112 $((109 + k)) H265 g.mkv "matroskademux ! h265parse ! rtph265pay"
    # forward error correction on the stream itself (RFC 5109), as a second payload type
    label "$name" port 21114 video H264+ulpfec
    timeout -s INT 15 gst-launch-1.0 -q filesrc location="$work/a.mkv" ! matroskademux ! h264parse \
        ! rtph264pay pt=$((110 + k)) ! rtpulpfecenc percentage=30 pt=$((111 + k)) \
        ! udpsink sync=true host=127.0.0.1 port=21114 >>"$work/gst.log" 2>&1 &
    pids+=($!)
    wait "${pids[@]}"
}
# fast, still and single-packet pictures, and a transport stream
more_video_streams() {
    pids=()
    local k=0 fps=50 still=1/3
    [ "$half" = report ] && k=7 fps=60 still=1/2
    encode k.mkv 9 $fps 160x120 "${x264[@]}" -b:v 150k -maxrate 150k -bufsize 20k
    encode l.mkv 9 $fps 640x360 "${x264[@]}" -b:v 900k
    encode m.mkv 30 $still 1024x576 "${x264[@]}" -b:v 60k
    encode n.mkv 9 $((25 - k)) 160x120 -c:v libx264 -preset veryfast -tune zerolatency -x264-params intra-refresh=1:keyint=9999 -pix_fmt yuv420p -b:v 90k
    encode o.mkv 9 25 320x180 -c:v mpeg2video -b:v $((500 + k * 100))k -bf 2
    ff_video 23000 $((96 + k)) H264 k.mkv 1400
    ff_video 23002 $((97 + k)) H264 l.mkv 1200
    ff_video 23004 $((98 + k)) H264 m.mkv 1200
    ff_video 23006 $((99 + k)) H264 n.mkv 1400
    ff_video 23008 32 MPV o.mkv 1400
    label "$name" port 23010 video MP2T
    ffmpeg -v error -re -i "$work/l.mkv" -an -c:v copy -f rtp_mpegts "rtp://127.0.0.1:23010?pkt_size=1328" </dev/null >/dev/null 2>>"$work/ff.log" &
    pids+=($!)
    gst_video 23100 $((100 + k)) H264 k.mkv "matroskademux ! h264parse ! rtph264pay aggregate-mode=zero-latency"
    gst_video 23102 $((101 + k)) H264 n.mkv "matroskademux ! h264parse ! rtph264pay aggregate-mode=zero-latency"
    wait "${pids[@]}"
}

# ---- baresip calling itself: G.722, G.726, L16, AMR, Codec2, by its own pacing; audio alone, so that a port says what it is
baresip_call() { # PORT MODULE CODEC OPTIONS
    local d="$work/baresip-$1" other=$(($1 + 10))
    for port in "$1" "$other"; do
        mkdir -p "$d-$port"
        printf '%s\n' "sip_listen 127.0.0.1:$((port + 5000))" "audio_player aubridge,sink" "audio_source aufile,$work/tone-$4.wav" \
            "audio_alert aubridge,sink" "rtp_ports $port-$((port + 1))" "ausrc_srate $4" "auplay_srate $4" "ausrc_channels 1" "auplay_channels 1" \
            "module_path /usr/lib/baresip/modules" "module aufile.so" "module aubridge.so" "module $2" \
            "module_tmp account.so" "module_app menu.so" >"$d-$port/config"
        echo "<sip:me$port@127.0.0.1:$((port + 5000))>;regint=0;answermode=auto;audio_codecs=$3" >"$d-$port/accounts"
        : >"$d-$port/contacts"
        label "$name" port "$port" audio "$3"
    done
    timeout -s INT 14 baresip -f "$d-$other" -s >>"$work/baresip.log" 2>&1 &
    pids+=($!)
    sleep 1
    timeout -s INT 12 baresip -f "$d-$1" -e "/dial sip:me$other@127.0.0.1:$((other + 5000))" -s >>"$work/baresip.log" 2>&1 &
    pids+=($!)
}
baresip_calls() {
    pids=()
    for rate in 8000 16000 48000; do
        ffmpeg -v error -y -f lavfi -i "sine=frequency=300:sample_rate=$rate,tremolo=f=3:d=0.9" -t 30 -c:a pcm_s16le "$work/tone-$rate.wav" </dev/null
    done
    if [ "$half" = design ]; then
        baresip_call 24000 g722.so G722/16000/1 16000
        baresip_call 24100 amr.so AMR/8000/1 8000
        baresip_call 24200 opus.so opus/48000/2 48000
    else
        baresip_call 24000 g726.so G726-32/8000/1 8000
        baresip_call 24100 codec2.so CODEC2/8000/1 8000
        baresip_call 24200 l16.so L16/16000/1 16000
    fi
    wait "${pids[@]}"
}

# ---- WebRTC: SRTP, BUNDLE, RTX, FEC, simulcast, screen sharing, paced by a real browser -------------------------------
webrtc() { # NAME JSON [LOSS-PERCENT]
    local log="$work/$1.log" hash
    hash=$(python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1]))' "$2")
    if [ -n "${3:-}" ]; then
        nft "add table ip lossy; add chain ip lossy in { type filter hook input priority 0; }; add rule ip lossy in udp length > 40 numgen random mod 100 < $3 drop" || return
    fi
    capture "$1" browser "$log" "$hash" "${4:-}"
    [ -n "${3:-}" ] && nft delete table ip lossy
    sed -n 's/.*"TRUTH \([0-9]*\) \([a-z]*\) \([^"]*\)".*/\1 \2 \3/p' "$log" | sort -u | while read -r ssrc media codec; do
        label "$1" ssrc "$ssrc" "$media" "$codec"
    done
}
browser() { # LOG HASH FIELD-TRIALS
    chromium --headless=new --no-sandbox --disable-gpu --user-data-dir="$work/profile" --no-first-run \
        --autoplay-policy=no-user-gesture-required --disable-features=WebRtcHideLocalIpsWithMdns \
        ${3:+--force-fieldtrials="$3"} --enable-logging=stderr --v=0 "file://$here/webrtc.html#$2" >"$1" 2>&1 &
    local chromium=$!
    for _ in $(seq 60); do
        sleep 1
        grep -aq '"DONE' "$1" && break
    done
    kill "$chromium"
    wait "$chromium" 2>/dev/null
}

webrtc_calls() {
    local flex="WebRTC-FlexFEC-03-Advertised/Enabled/WebRTC-FlexFEC-03/Enabled/"
    if [ "$half" = design ]; then
        webrtc vp8 '{"media":[{"kind":"audio","codec":"opus"},{"kind":"video","codec":"VP8","rate":800000}]}'
        webrtc vp8-low '{"media":[{"kind":"audio","codec":"PCMU"},{"kind":"video","codec":"VP8","rate":40000,"width":160,"height":90,"motion":1,"fps":15}]}'
        webrtc vp9-low '{"dtx":1,"media":[{"kind":"audio","codec":"opus","talk":0.3},{"kind":"video","codec":"VP9","rate":50000,"width":160,"height":90,"motion":1}]}'
        webrtc av1 '{"stereo":1,"opusRate":510000,"media":[{"kind":"audio","codec":"opus"},{"kind":"video","codec":"AV1","rate":300000,"width":320,"height":180,"fps":20}]}'
        webrtc h264-lossy '{"seconds":14,"media":[{"kind":"audio","codec":"G722"},{"kind":"video","codec":"H264","rate":700000}]}' 4
        webrtc simulcast '{"seconds":14,"media":[{"kind":"audio","codec":"opus"},{"kind":"video","codec":"VP8","width":960,"height":540,"simulcast":1}]}'
        webrtc screen '{"seconds":14,"media":[{"kind":"audio","codec":"opus"},{"kind":"video","codec":"VP8","rate":200000,"width":320,"height":180},{"kind":"video","codec":"VP9","rate":500000,"screen":1,"fps":5,"width":1024,"height":576}]}'
        webrtc fec-red '{"red":1,"seconds":12,"media":[{"kind":"audio","codec":"opus"},{"kind":"video","codec":"VP8","rate":500000}]}' 3 "$flex"
        webrtc dtmf '{"dtmf":"147#","seconds":14,"media":[{"kind":"audio","codec":"PCMU"}]}'
        webrtc ptime60 '{"ptime":60,"media":[{"kind":"audio","codec":"opus"},{"kind":"video","codec":"VP8","rate":30000,"fps":2,"width":160,"height":90}]}'
    else
        webrtc vp8 '{"stereo":1,"opusRate":256000,"media":[{"kind":"audio","codec":"opus"},{"kind":"video","codec":"VP8","rate":400000,"fps":25}]}'
        webrtc av1-low '{"media":[{"kind":"audio","codec":"PCMA"},{"kind":"video","codec":"AV1","rate":35000,"width":160,"height":90,"motion":1,"fps":12}]}'
        webrtc vp9-dtx '{"dtx":1,"media":[{"kind":"audio","codec":"opus","talk":0.15},{"kind":"video","codec":"VP9","rate":70000,"width":240,"height":136,"motion":2,"fps":24}]}'
        webrtc vp9-svc '{"seconds":12,"media":[{"kind":"audio","codec":"opus"},{"kind":"video","codec":"VP9","rate":600000,"svc":"L3T3_KEY"}]}'
        webrtc h264-low '{"seconds":12,"media":[{"kind":"audio","codec":"opus"},{"kind":"video","codec":"H264","rate":60000,"width":160,"height":96,"motion":1}]}'
        webrtc vp8-lossy '{"seconds":14,"media":[{"kind":"audio","codec":"PCMU"},{"kind":"video","codec":"VP8","rate":900000}]}' 6
        webrtc simulcast '{"seconds":14,"media":[{"kind":"audio","codec":"G722"},{"kind":"video","codec":"H264","width":960,"height":540,"simulcast":1,"fps":20}]}'
        webrtc screen '{"seconds":14,"media":[{"kind":"audio","codec":"opus"},{"kind":"video","codec":"AV1","rate":150000,"width":320,"height":180},{"kind":"video","codec":"VP8","rate":300000,"screen":1,"fps":3,"changeEvery":2,"width":1024,"height":576}]}'
        webrtc fec-red '{"red":1,"seconds":12,"media":[{"kind":"audio","codec":"opus"},{"kind":"video","codec":"VP9","rate":400000,"fps":20}]}' 5 "$flex"
        webrtc dtmf '{"dtmf":"2580*","seconds":14,"media":[{"kind":"audio","codec":"opus"}]}'
        webrtc fps5 '{"ptime":40,"media":[{"kind":"audio","codec":"opus"},{"kind":"video","codec":"VP8","rate":30000,"fps":5,"width":160,"height":90}]}'
    fi
}

# ---- a conference server: what it makes of simulcast, layers and retransmission -----------------------------------------
janus_calls() {
    mkdir -p "$work/janus"
    janus -F /etc/janus -d 2 -L "$work/janus.log" >/dev/null 2>&1 &
    local janus=$!
    sleep 3
    local at='"janus":"http://10.9.0.1:8088/janus","seconds":12'
    if [ "$half" = design ]; then
        webrtc janus-simulcast "{$at,\"substream\":1,\"media\":[{\"kind\":\"audio\",\"codec\":\"opus\"},{\"kind\":\"video\",\"codec\":\"VP8\",\"width\":960,\"height\":540,\"simulcast\":1}]}"
        webrtc janus-lossy "{$at,\"dtx\":1,\"media\":[{\"kind\":\"audio\",\"codec\":\"opus\",\"talk\":0.3},{\"kind\":\"video\",\"codec\":\"VP8\",\"rate\":300000}]}" 4
    else
        webrtc janus-layers "{$at,\"substream\":2,\"temporal\":0,\"media\":[{\"kind\":\"audio\",\"codec\":\"PCMU\"},{\"kind\":\"video\",\"codec\":\"VP8\",\"width\":960,\"height\":540,\"simulcast\":1}]}"
        webrtc janus-low "{$at,\"media\":[{\"kind\":\"audio\",\"codec\":\"opus\"},{\"kind\":\"video\",\"codec\":\"H264\",\"rate\":60000,\"width\":160,\"height\":96,\"fps\":12}]}" 5
    fi
    kill "$janus"
    wait "$janus" 2>/dev/null
}

for half in $halves; do
    dir="$out/$half"
    mkdir -p "$dir"
    : >"$work/labels"
    name=audio
    have gst-launch-1.0 && capture audio audio_streams
    name=video
    if have ffmpeg && have gst-launch-1.0; then
        video_files
        capture video video_streams
        name=more-audio
        capture more-audio more_audio_streams
        name=more-video
        capture more-video more_video_streams
    fi
    name=baresip
    have baresip && have ffmpeg && capture baresip baresip_calls
    have chromium && webrtc_calls
    have chromium && have janus && janus_calls
    python3 "$here/label_streams.py" "$dir" "$work/labels" >"$dir/STREAMS.tsv" || exit 3
    cp "$work/labels" "$dir/labels.txt"
    echo "$half: $(($(wc -l <"$dir/STREAMS.tsv") - 1)) labelled streams"
done
