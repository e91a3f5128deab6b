#include "capture/identify.h"

#include <string.h>

#include "base/cursor.h"
#include "capture/erf_record.h"

struct magic {
    const char *what;
    uint16_t offset;
    uint8_t len;
    char bytes[17];
    bool is_capture;
};

/* clang-format off */
static const struct magic others[] = {
    {"a Sun snoop capture",              0, 8, "snoop\0\0\0", true},
    {"a Microsoft Network Monitor capture", 0, 4, "GMBU", true},
    {"a Microsoft Network Monitor 1.x capture", 0, 4, "RTSS", true},
    {"a Bluetooth btsnoop capture",      0, 8, "btsnoop\0", true},
    {"a Sniffer (DOS) capture",          0, 16, "TRSNIFF data    ", true},
    {"a NetXray or Sniffer (Windows) capture", 0, 4, "XCP\0", true},
    {"a Visual Networks capture",        0, 4, "\5VNF", true},
    {"a Viavi Observer capture",         0, 15, "ObserverPktBuff", true},
    {"an EtherPeek or OmniPeek capture", 0, 4, "\177ver", true},
    {"a Windows event trace (ETL)",      0, 4, "\0\0\1\0", true},
    {"a PNG image",                      0, 8, "\211PNG\r\n\032\n", false},
    {"a JPEG image",                     0, 3, "\377\330\377", false},
    {"a GIF image",                      0, 4, "GIF8", false},
    {"a PDF document",                   0, 5, "%PDF-", false},
    {"a program or library (ELF)",       0, 4, "\177ELF", false},
    {"a Windows program",                0, 2, "MZ", false},
    {"a ZIP archive",                    0, 4, "PK\3\4", false},
    {"a 7-Zip archive",                  0, 6, "7z\274\257\047\034", false},
    {"a RAR archive",                    0, 4, "Rar!", false},
    {"gzip data (again)",                0, 2, "\037\213", false},
    {"xz data (again)",                  0, 6, "\3757zXZ\0", false},
    {"zstd data (again)",                0, 4, "(\265/\375", false},
    {"bzip2 data (again)",               0, 3, "BZh", false},
    {"a tar archive",                  257, 5, "ustar", false},
    {"a cpio archive",                   0, 5, "07070", false},
    {"a SQLite database",                0, 15, "SQLite format 3", false},
    {"a Java class",                     0, 4, "\312\376\272\276", false},
    {"an MP4 video",                     4, 4, "ftyp", false},
    {"a WAV or AVI file",                0, 4, "RIFF", false},
    {"an Ogg file",                      0, 4, "OggS", false},
    {"a Matroska or WebM video",         0, 4, "\032E\337\243", false},
    {"an MP3 file",                      0, 3, "ID3", false},
    {"a text file (UTF-16)",             0, 2, "\377\376", false},
    {"a text file (UTF-16)",             0, 2, "\376\377", false},
    {"a web page",                       0, 9, "<!DOCTYPE", false},
    {"a web page",                       0, 9, "<!doctype", false},
    {"a web page",                       0, 5, "<html", false},
    {"an XML file",                      0, 5, "<?xml", false},
    {"a private key or certificate",     0, 11, "-----BEGIN ", false},
};
/* clang-format on */

/* Magic numbers that libpcap reads, in either byte order: microseconds, nanoseconds, Kuznetzov's longer record header
 * (draft-ietf-opsawg-pcap §4, libpcap's sf-pcap.c). */
static bool is_pcap(uint32_t magic)
{
    static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34, 0xd4c3b2a1, 0x4d3cb2a1, 0x34cdb2a1};
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (magic == magics[i])
            return true;
    return false;
}

/* draft-ietf-opsawg-pcapng §4.1: the block type reads the same in both byte orders; the magic settles
 * which it is. */
static bool is_pcapng(struct cursor c)
{
    uint32_t type = cur_u32(&c);
    cur_skip(&c, 4);
    uint32_t order = cur_u32(&c);
    return type == 0x0a0d0d0a && (c.failed || order == 0x1a2b3c4d || order == 0x4d3c2b1a);
}

/* Three records in a row that make sense, or all there are, with times within a year of each other and in order but
 * for a second. */
static bool is_erf(struct cursor c)
{
    enum { RECORDS = 3, YEAR_S = 366 * 86400 };
    uint64_t before = 0;
    int n = 0;
    while (n < RECORDS && cur_left(&c) > 0) {
        struct erf_record r;
        if (erf_record_parse(c, &r) != PARSE_OK || !erf_type_is_known(r.type))
            return false;
        uint64_t seconds = r.timestamp >> 32;
        if (n > 0 && (seconds + 1 < before || seconds > before + YEAR_S))
            return false;
        before = seconds;
        cur_skip(&c, r.record_bytes);
        n++;
    }
    return n == RECORDS || (n > 0 && !c.failed);
}

enum capture_format identify_format(const uint8_t *bytes, size_t len)
{
    struct cursor c = cur_make(bytes, len, false);
    struct cursor first = c;
    if (is_pcap(cur_u32(&first)) && !first.failed)
        return FORMAT_PCAP;
    if (is_pcapng(c))
        return FORMAT_PCAPNG;
    return is_erf(c) ? FORMAT_ERF : FORMAT_NONE;
}

/* No control characters but those that text has; bytes above 0x7f are somebody's letters. */
static bool is_text(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] == 0x7f || (bytes[i] < 0x20 && (bytes[i] < '\t' || bytes[i] > '\r') && bytes[i] != 0x1b))
            return false;
    return true;
}

const char *identify_describe(const uint8_t *bytes, size_t len, bool *ret_is_capture)
{
    *ret_is_capture = false;
    if (len == 0)
        return "empty";
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const struct magic *m = &others[i];
        if (len >= (size_t)m->offset + m->len && memcmp(bytes + m->offset, m->bytes, m->len) == 0) {
            *ret_is_capture = m->is_capture;
            return m->what;
        }
    }
    if (is_text(bytes, len))
        return "a text file";
    size_t zeros = 0;
    while (zeros < len && bytes[zeros] == 0)
        zeros++;
    return zeros == len ? "all zeros as far as looked at" : "of a format that is not known here";
}
