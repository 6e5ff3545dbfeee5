/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs one command for `./run --headless` and reports over a serial line.
 *
 *   mullion-test-agent TTY
 *
 * The line carries text lines in both directions, the payload in base64, so that the driver's
 * output is exact to the byte whatever the terminal layer does. The driver's half is
 * tools/agent.py.
 *
 *   agent:  @READY                  repeated until the driver answers
 *   driver: @RUN base64             arguments, each ended by a NUL; a single one goes to a shell
 *   agent:  @OUT base64  @ERR base64
 *   agent:  @EXIT status
 *   driver: @BYE                    it has seen what it wants to see of the running machine,
 *                                   which is powered off then (or after BYE_MS)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MAX_LINE (1 << 20)
#define MAX_ARGS 1024
#define CHUNK	 3072 /* bytes of output in one line */
#define READY_MS 500
#define BYE_MS	 30000

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			exit(1);
		}
		data += n;
		size -= n;
	}
}

static void send_payload(int tty, const char *kind, const unsigned char *data, size_t size)
{
	static char line[16 + CHUNK / 3 * 4 + 8];
	size_t at = sprintf(line, "@%s ", kind);

	for (size_t i = 0; i < size; i += 3) {
		unsigned v = data[i] << 16;

		v |= i + 1 < size ? data[i + 1] << 8 : 0;
		v |= i + 2 < size ? data[i + 2] : 0;
		line[at++] = digits[v >> 18];
		line[at++] = digits[v >> 12 & 63];
		line[at++] = i + 1 < size ? digits[v >> 6 & 63] : '=';
		line[at++] = i + 2 < size ? digits[v & 63] : '=';
	}
	line[at++] = '\n';
	write_all(tty, line, at);
}

static ssize_t decode_payload(const char *text, char *out)
{
	size_t size = 0;
	unsigned bits = 0;
	unsigned value = 0;

	for (; *text != '\0' && *text != '='; text++) {
		const char *digit = strchr(digits, *text);

		if (!digit) {
			return -1;
		}
		value = value << 6 | (unsigned)(digit - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[size++] = (char)(value >> bits);
		}
	}
	return (ssize_t)size;
}

static int open_line(const char *path)
{
	struct termios t;
	int tty = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (tty < 0 || tcgetattr(tty, &t)) {
		perror(path);
		exit(1);
	}
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	t.c_cflag &= ~CRTSCTS;
	cfsetspeed(&t, B115200);
	if (tcsetattr(tty, TCSAFLUSH, &t)) {
		perror(path);
		exit(1);
	}
	return tty;
}

/* Announce until a whole @RUN line has arrived; returns its payload. */
static char *wait_for_command(int tty)
{
	static char line[MAX_LINE];
	size_t used = 0;

	for (;;) {
		struct pollfd p = {.fd = tty, .events = POLLIN};
		ssize_t n;

		if (used == 0 || strncmp(line, "@RUN ", used < 5 ? used : 5) != 0) {
			write_all(tty, "@READY\n", 7);
			used = 0;
		}
		if (poll(&p, 1, READY_MS) <= 0) {
			continue;
		}
		n = read(tty, line + used, sizeof(line) - 1 - used);
		if (n <= 0) {
			continue;
		}
		used += n;
		line[used] = '\0';
		if (memchr(line, '\n', used)) {
			*strchr(line, '\n') = '\0';
			if (strncmp(line, "@RUN ", 5) == 0) {
				return line + 5;
			}
			used = 0;
		} else if (used == sizeof(line) - 1) {
			used = 0;
		}
	}
}

/* The driver may take a picture of the screen first. It has nothing else to say: any byte does. */
static void wait_for_bye(int tty)
{
	struct pollfd p = {.fd = tty, .events = POLLIN};

	(void)poll(&p, 1, BYE_MS);
}

static pid_t start_command(char *payload, int out[2], int err[2])
{
	static char *argv[MAX_ARGS + 1];
	static char args[MAX_LINE];
	ssize_t size = decode_payload(payload, args);
	size_t count = 0;
	pid_t pid;

	for (ssize_t at = 0; at < size && count < MAX_ARGS; at += strlen(args + at) + 1) {
		argv[count++] = args + at;
	}
	if (count == 0 || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) {
		return -1;
	}
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		setsid();
		if (count == 1) {
			execl("/bin/sh", "sh", "-c", argv[0], NULL);
		} else {
			execvp(argv[0], argv);
		}
		perror(argv[0]);
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(out[1]);
	close(err[1]);
	return pid;
}

/*
 * Forward until the command has ended. A daemon that it leaves behind may hold the pipes open for
 * ever, so what counts is the process: after its end only what is in the pipes already is sent.
 */
static int forward(int tty, pid_t pid, int out, int err)
{
	static unsigned char data[CHUNK];
	struct pollfd p[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
	bool is_over = false;
	int status = 0;

	for (;;) {
		int n = poll(p, 2, is_over ? 0 : 50);

		if (n <= 0 && is_over) {
			break;
		}
		for (int i = 0; i < 2 && n > 0; i++) {
			ssize_t size = p[i].revents ? read(p[i].fd, data, sizeof(data)) : -1;

			if (size > 0) {
				send_payload(tty, i ? "ERR" : "OUT", data, size);
			} else if (size == 0) {
				p[i].fd = -1;
			}
		}
		if (!is_over &&
		    waitpid(pid, &status, p[0].fd < 0 && p[1].fd < 0 ? 0 : WNOHANG) == pid) {
			is_over = true;
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	int out[2];
	int err[2];
	int status = 126;
	char reply[32];
	pid_t pid;
	int tty;

	if (argc != 2) {
		fprintf(stderr, "usage: %s TTY\n", argv[0]);
		return 2;
	}
	tty = open_line(argv[1]);
	pid = start_command(wait_for_command(tty), out, err);
	if (pid > 0) {
		status = forward(tty, pid, out[0], err[0]);
	}
	sync();
	write_all(tty, reply, sprintf(reply, "@EXIT %d\n", status));
	tcdrain(tty);
	wait_for_bye(tty);
	execlp("systemctl", "systemctl", "--force", "poweroff", NULL);
	return 1;
}
