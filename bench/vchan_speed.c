/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What plain libxenvchan moves, to compare a call with: no daemon, no policy, no message headers.
 *
 *   vchan_speed serve|call DOMAIN send|receive MIB
 *
 * One side serves, the other calls; one sends what it reads from its standard input, the other
 * writes what comes to its standard output. The rings are those of a call, 64 KiB each way, the
 * pieces those of its messages. The receiver says one byte when it has everything; the caller then
 * prints the rate.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libxenvchan.h>

#define RING_BYTES  65536
#define PIECE_BYTES 65536

static uint8_t piece[PIECE_BYTES];

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void send_all(struct libxenvchan *vchan, uint64_t left)
{
	size_t wanted;
	ssize_t n;

	while (left) {
		wanted = left < sizeof(piece) ? left : sizeof(piece);
		n = read(0, piece, wanted);
		if (n <= 0 || libxenvchan_write(vchan, piece, (size_t)n) != n) {
			fail("send");
		}
		left -= (uint64_t)n;
	}
	if (libxenvchan_read(vchan, piece, 1) != 1) {
		fail("end");
	}
}

static void receive_all(struct libxenvchan *vchan, uint64_t left)
{
	int n;

	while (left) {
		n = libxenvchan_read(vchan, piece, sizeof(piece));
		if (n <= 0 || write(1, piece, (size_t)n) != n) {
			fail("receive");
		}
		left -= (uint64_t)n;
	}
	if (libxenvchan_write(vchan, piece, 1) != 1) {
		fail("end");
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct libxenvchan *vchan = NULL;
	char path[64];
	double start;
	int i, mib;

	if (argc != 5) {
		fprintf(stderr, "usage: vchan_speed serve|call DOMAIN send|receive MIB\n");
		return 2;
	}
	mib = atoi(argv[4]);
	if (!strcmp(argv[1], "serve")) {
		vchan = libxenvchan_server_init(NULL, atoi(argv[2]), "data/vchan/speed", RING_BYTES,
						RING_BYTES);
	}
	snprintf(path, sizeof(path), "/local/domain/%s/data/vchan/speed", argv[2]);
	for (i = 0; !strcmp(argv[1], "call") && !vchan && i < 1000; i++) {
		vchan = libxenvchan_client_init(NULL, atoi(argv[2]), path);
		usleep(20000);
	}
	if (!vchan) {
		fail("vchan");
	}
	vchan->blocking = 1;
	start = now();
	if (!strcmp(argv[3], "send")) {
		send_all(vchan, (uint64_t)mib << 20);
	} else {
		receive_all(vchan, (uint64_t)mib << 20);
	}
	if (!strcmp(argv[1], "call")) {
		fprintf(stderr, "%d MiB in %.2f s\n", mib, now() - start);
	} else {
		sleep(1); /* the last byte is read before the ring goes */
	}
	libxenvchan_close(vchan);
	return 0;
}
