/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "net.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ECHO_PORT   7
#define REACH_TRIES 20

static int set_up(const char *name, const char *address, const char *netmask)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct ifreq request = {0};
	int rc, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	inet_pton(AF_INET, address, &in.sin_addr);
	memcpy(&request.ifr_addr, &in, sizeof(in));
	rc = ioctl(fd, SIOCSIFADDR, &request);
	inet_pton(AF_INET, netmask, &in.sin_addr);
	memcpy(&request.ifr_netmask, &in, sizeof(in));
	rc = rc ? rc : ioctl(fd, SIOCSIFNETMASK, &request);
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	rc = rc ? rc : ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	return rc;
}

static void echo(int peer)
{
	static char data[1 << 16];
	ssize_t n, sent, done;

	while ((n = read(peer, data, sizeof(data))) > 0) {
		for (done = 0; done < n; done += sent) {
			sent = write(peer, data + done, (size_t)(n - done));
			if (sent <= 0) {
				return;
			}
		}
	}
}

/* In a process of its own: whatever comes is sent back. */
static void serve_echo(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(ECHO_PORT)};
	int peer, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) || listen(fd, 4)) {
		printf("mini: echo: %m\n");
		return;
	}
	signal(SIGCHLD, SIG_IGN);
	while ((peer = accept(fd, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			echo(peer);
			_exit(0);
		}
		close(peer);
	}
}

void net_start(const char *address)
{
	static bool is_serving;

	if (set_up("lo", "127.0.0.1", "255.0.0.0") || set_up("eth0", address, "255.255.255.0")) {
		printf("mini: no network: %m\n");
		return;
	}
	if (!is_serving && fork() == 0) {
		serve_echo();
		_exit(1);
	}
	is_serving = true;
	printf("mini: net %s\n", address);
}

static unsigned short checksum(const unsigned short *word, unsigned int bytes)
{
	unsigned int sum = 0;

	for (; bytes > 1; bytes -= 2) {
		sum += *word++;
	}
	sum = (sum >> 16) + (sum & 0xffff);
	return (unsigned short)~(sum + (sum >> 16));
}

void net_reach(const char *address)
{
	struct icmphdr request = {.type = ICMP_ECHO, .un.echo.id = 1};
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct timeval patience = {.tv_sec = 1};
	unsigned char packet[256];
	int answers = 0, fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	inet_pton(AF_INET, address, &in.sin_addr);
	for (int i = 1; i <= REACH_TRIES && answers < 3; i++) {
		struct icmphdr *reply = (struct icmphdr *)(packet + sizeof(struct iphdr));
		ssize_t n;

		request.un.echo.sequence = (unsigned short)i;
		request.checksum = 0;
		request.checksum = checksum((unsigned short *)&request, sizeof(request));
		sendto(fd, &request, sizeof(request), 0, (struct sockaddr *)&in, sizeof(in));
		n = recv(fd, packet, sizeof(packet), 0);
		answers += n >= (ssize_t)(sizeof(struct iphdr) + sizeof(*reply)) &&
			   reply->type == ICMP_ECHOREPLY && reply->un.echo.sequence == i;
	}
	close(fd);
	printf("mini: %s answered %d times\n", address, answers);
}

/* The same bytes for the one who sends and the one who compares. */
static unsigned long next_word(unsigned long *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void send_words(int fd, unsigned long bytes)
{
	unsigned long words[1024], state = 88172645463325252ul;

	for (unsigned long done = 0; done < bytes; done += sizeof(words)) {
		for (unsigned int i = 0; i < 1024; i++) {
			words[i] = next_word(&state);
		}
		for (ssize_t n, at = 0; at < (ssize_t)sizeof(words); at += n) {
			n = write(fd, (char *)words + at, sizeof(words) - (size_t)at);
			if (n <= 0) {
				return;
			}
		}
	}
	shutdown(fd, SHUT_WR);
}

/* How many bytes came back as they were sent. */
static unsigned long compare_words(int fd, unsigned long bytes)
{
	unsigned long word, state = 88172645463325252ul, same = 0;

	while (same < bytes && recv(fd, &word, sizeof(word), MSG_WAITALL) == sizeof(word) &&
	       word == next_word(&state)) {
		same += sizeof(word);
	}
	return same;
}

void net_exchange(const char *address, unsigned long bytes)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(ECHO_PORT)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned long same;

	bytes = bytes / 8192 * 8192;
	inet_pton(AF_INET, address, &in.sin_addr);
	if (connect(fd, (struct sockaddr *)&in, sizeof(in))) {
		printf("mini: %s: %m\n", address);
		close(fd);
		return;
	}
	if (fork() == 0) {
		send_words(fd, bytes);
		_exit(0);
	}
	same = compare_words(fd, bytes);
	close(fd);
	printf("mini: %lu of %lu bytes came back from %s\n", same, bytes, address);
}
