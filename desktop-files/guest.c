/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "desktop-files/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox.h"

#define CALL_SECONDS "120" /* a domain that has just started may be slow */

/* What a parser makes, in memory that both processes have: it is read when the child has ended. */
struct result {
	bool is_ok;
	uint32_t count;
	bool is_truncated;
	struct entry entries[ENTRY_LIST_MAX];
	uint8_t icon[ICON_BYTES];
};

struct question {
	const char *domain, *service, *input;
	uint32_t rgb;
	size_t answer_max;
	void (*parse)(const struct question *q, const uint8_t *answer, size_t size_bytes,
		      struct result *result);
};

static void parse_entries(const struct question *q, const uint8_t *answer, size_t size_bytes,
			  struct result *result)
{
	struct entry_list list;

	entry_parse_list((const char *)answer, size_bytes, &list);
	result->count = (uint32_t)list.count;
	result->is_truncated = list.is_truncated;
	if (list.count) {
		memcpy(result->entries, list.entries, list.count * sizeof(struct entry));
	}
	result->is_ok = true;
}

static void parse_icon(const struct question *q, const uint8_t *answer, size_t size_bytes,
		       struct result *result)
{
	result->is_ok = icon_decode(answer, size_bytes, q->rgb, result->icon) == 0;
}

/* The child: reads the answer to its end, parses it, ends. Needs nothing but the pipe and memory.
 */
static _Noreturn void read_and_parse(const struct question *q, int fd, struct result *result)
{
	uint8_t *answer = malloc(q->answer_max + 1);
	size_t have = 0;
	ssize_t n = 1;

	if (!answer || sandbox_enter(NULL, NULL)) {
		_exit(1);
	}
	/* One byte more than allowed is read, to see that there is more. */
	while (have <= q->answer_max && n > 0) {
		n = read(fd, answer + have, q->answer_max + 1 - have);
		have += n > 0 ? (size_t)n : 0;
	}
	if (n < 0) {
		_exit(1);
	}
	q->parse(q, answer, have, result);
	_exit(0);
}

static pid_t start_call(const struct question *q, int in, int out)
{
	g_autofree char *command = g_strdup_printf("DEFAULT:QUBESRPC %s dom0", q->service);
	pid_t pid = fork();

	if (pid == 0) {
		dup2(in, 0);
		dup2(out, 1);
		execlp("timeout", "timeout", CALL_SECONDS, "qrexec-client", "-T", "-d", q->domain,
		       command, (char *)NULL);
		fprintf(stderr, "mullion-menu: timeout: %s\n", strerror(errno));
		_exit(127);
	}
	return pid;
}

static bool has_ended_well(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Input is at most a line: a pipe takes it before anybody reads. */
static bool put_input(const char *text, int fds[2])
{
	if (pipe2(fds, O_CLOEXEC)) {
		return false;
	}
	if (write(fds[1], text, strlen(text)) != (ssize_t)strlen(text)) {
		close(fds[0]);
		close(fds[1]);
		return false;
	}
	close(fds[1]);
	return true;
}

static bool ask(const struct question *q, struct result *result)
{
	int in[2], out[2];
	pid_t call, parser;
	bool is_read, is_called;

	if (!put_input(q->input, in)) {
		return false;
	}
	/* A call that kept the reading end would never learn that nobody reads any more. */
	if (pipe2(out, O_CLOEXEC)) {
		close(in[0]);
		return false;
	}
	call = start_call(q, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	parser = fork();
	if (parser == 0) {
		read_and_parse(q, out[0], result);
	}
	close(out[0]);
	is_read = has_ended_well(parser);
	is_called = has_ended_well(call);
	return is_read && is_called && result->is_ok;
}

static struct result *result_new(void)
{
	void *memory = mmap(NULL, sizeof(struct result), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* The child has ended, so nobody changes this any more. */
static bool take_entries(const struct result *result, struct entry_list *out)
{
	uint32_t i;

	if (result->count > ENTRY_LIST_MAX) {
		return false;
	}
	for (i = 0; i < result->count; i++) {
		if (!entry_is_valid(&result->entries[i])) {
			return false;
		}
	}
	*out = (struct entry_list){
		.entries = g_memdup2(result->entries, result->count * sizeof(struct entry)),
		.count = result->count,
		.is_truncated = result->is_truncated,
	};
	return true;
}

bool guest_entries(const char *domain, struct entry_list *out)
{
	const struct question q = {domain, "qubes.GetAppmenus", "",
				   0,	   ENTRY_INPUT_MAX,	parse_entries};
	struct result *result = result_new();
	bool is_ok = result && ask(&q, result) && take_entries(result, out);

	if (!is_ok) {
		fprintf(stderr, "mullion-menu: %s does not tell its programs\n", domain);
	}
	if (result) {
		munmap(result, sizeof(*result));
	}
	return is_ok;
}

bool guest_icon(const char *domain, const char *name, uint32_t rgb, uint8_t out[ICON_BYTES])
{
	g_autofree char *line = g_strdup_printf("xdgicon:%s\n", name);
	const struct question q = {domain, "qubes.GetImageRGBA", line,
				   rgb,	   ICON_INPUT_MAX,	 parse_icon};
	struct result *result = result_new();
	bool is_ok = result && ask(&q, result);

	if (is_ok) {
		memcpy(out, result->icon, ICON_BYTES);
	}
	if (result) {
		munmap(result, sizeof(*result));
	}
	return is_ok;
}
