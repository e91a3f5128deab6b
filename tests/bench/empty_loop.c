/*
 * The measure of all things: libpcap reads a file, and nothing is done with the packets.
 *
 *     empty_loop FILE
 */
#include <pcap/pcap.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE] = "usage: empty_loop FILE";
    pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;
    if (!pcap) {
        (void)fprintf(stderr, "%s\n", why);
        return 1;
    }
    struct pcap_pkthdr *header;
    const u_char *bytes;
    unsigned long packets = 0;
    while (pcap_next_ex(pcap, &header, &bytes) == 1)
        packets++;
    pcap_close(pcap);
    return printf("%lu\n", packets) < 0;
}
