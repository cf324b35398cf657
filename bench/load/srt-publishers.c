/*
 * Many SRT publishers in one cheap process, on libsrt itself:
 *
 *   srt-publishers HOST PORT FIRST COUNT BITS_PER_SECOND SECONDS FILE.ts WRITES_PER_SECOND
 *
 * Each connects as `#!::r=live/bench<FIRST + n>,m=publish` and sends the file
 * over and over in messages of seven packets at that rate, so many times a second
 * what is due: an encoder sends a frame when it has one, all at once. Each begins
 * at an instant of its own. Prints `go` when all are connected and `done BYTES
 * LOST RETRANSMITTED DROPPED` at the end: what all have sent, and what their
 * statistics say of it. All of them share one UDP port: one sending and one
 * receiving thread, whatever their number.
 */
#include <netinet/in.h>
#include <arpa/inet.h>
#include <srt/srt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAYLOAD_BYTES = 1316, PUBLISHERS_MAX = 4096, TICK_NS = 2000000 };

static SRTSOCKET sockets[PUBLISHERS_MAX];
static long sent_packets[PUBLISHERS_MAX];

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, srt_getlasterror_str());
  exit(1);
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Whole messages only: what is left over at the end of the file is not sent. */
static char *read_file(const char *name, long *messages) {
  FILE *file = fopen(name, "rb");
  if (file == NULL) fail(name);
  fseek(file, 0, SEEK_END);
  *messages = ftell(file) / PAYLOAD_BYTES;
  rewind(file);
  char *bytes = malloc((size_t)*messages * PAYLOAD_BYTES);
  if (bytes == NULL || fread(bytes, PAYLOAD_BYTES, (size_t)*messages, file) != (size_t)*messages) fail(name);
  fclose(file);
  return bytes;
}

static SRTSOCKET connect_publisher(const struct sockaddr_in *server, struct sockaddr_in *local, int number) {
  SRTSOCKET socket = srt_create_socket();
  int no = 0, yes = 1;
  char id[64];
  snprintf(id, sizeof id, "#!::r=live/bench%d,m=publish", number);
  srt_setsockflag(socket, SRTO_REUSEADDR, &yes, sizeof yes);
  srt_setsockflag(socket, SRTO_STREAMID, id, (int)strlen(id));
  if (srt_bind(socket, (const struct sockaddr *)local, sizeof *local) == SRT_ERROR) fail("bind");
  if (srt_connect(socket, (const struct sockaddr *)server, sizeof *server) == SRT_ERROR) fail(id);
  int length = sizeof *local;
  if (srt_getsockname(socket, (struct sockaddr *)local, &length) == SRT_ERROR) fail("port");
  srt_setsockflag(socket, SRTO_SNDSYN, &no, sizeof no);
  return socket;
}

static void pump(int count, double packets_per_second, double writes_per_second, double seconds, const char *file,
                 long messages) {
  const double began = seconds_now();
  for (double elapsed = 0; elapsed < seconds; elapsed = seconds_now() - began) {
    for (int i = 0; i < count; i++) {
      const long writes = (long)(elapsed * writes_per_second + (double)i / count);
      const long due = (long)((double)writes / writes_per_second * packets_per_second);
      while (sent_packets[i] < due) {
        /* Publishers begin at different places, so that their keyframes do not fall together. */
        const long at = (sent_packets[i] + i * (messages / count)) % messages;
        if (srt_sendmsg(sockets[i], file + at * PAYLOAD_BYTES, PAYLOAD_BYTES, -1, 1) == SRT_ERROR) fail("send");
        sent_packets[i]++;
      }
    }
    const struct timespec tick = {0, TICK_NS};
    nanosleep(&tick, NULL);
  }
}

static void report(int count) {
  long long bytes = 0, lost = 0, retransmitted = 0, dropped = 0;
  for (int i = 0; i < count; i++) {
    SRT_TRACEBSTATS stats;
    if (srt_bstats(sockets[i], &stats, 0) == SRT_ERROR) fail("statistics");
    bytes += sent_packets[i] * PAYLOAD_BYTES;
    lost += stats.pktSndLossTotal;
    retransmitted += stats.pktRetransTotal;
    dropped += stats.pktSndDropTotal;
  }
  printf("done %lld %lld %lld %lld\n", bytes, lost, retransmitted, dropped);
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 9) {
    fprintf(stderr, "srt-publishers HOST PORT FIRST COUNT BITS_PER_SECOND SECONDS FILE.ts WRITES_PER_SECOND\n");
    return 2;
  }
  const int first = atoi(argv[3]), count = atoi(argv[4]);
  if (count < 1 || count > PUBLISHERS_MAX) return 2;
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2]))};
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) return 2;
  long messages = 0;
  const char *file = read_file(argv[7], &messages);
  srt_startup();
  for (int i = 0; i < count; i++) sockets[i] = connect_publisher(&server, &local, first + i);
  printf("go\n");
  fflush(stdout);
  pump(count, atof(argv[5]) / 8 / PAYLOAD_BYTES, atof(argv[8]), atof(argv[6]), file, messages);
  report(count);
  /* Stays connected until its input ends: whoever measures says when. */
  while (getchar() != EOF) continue;
  for (int i = 0; i < count; i++) srt_close(sockets[i]);
  srt_cleanup();
  return 0;
}
