/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/connect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qrexec/io.h"
#include "qrexec/service.h"

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	while (size) {
		n = send(fd, bytes, size, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return false;
		}
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

static bool read_all(int fd, uint8_t *bytes, size_t size)
{
	ssize_t n;

	while (size) {
		n = recv(fd, bytes, size, MSG_WAITALL);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return false;
		}
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

/* A message of at most 8 bytes of body, of the given type. */
static bool read_message(int fd, enum qrexec_type type, uint8_t body[8], uint32_t *size)
{
	uint8_t bytes[QREXEC_HEADER_SIZE];
	struct wire in = wire_of(bytes, sizeof(bytes));
	struct qrexec_header header;

	if (!read_all(fd, bytes, sizeof(bytes)) ||
	    qrexec_header_decode(&in, QREXEC_DAEMON_TO_CLIENT, QREXEC_VERSION_LOCAL, &header) ||
	    header.type != type || !read_all(fd, body, header.size)) {
		return false;
	}
	*size = header.size;
	return true;
}

static bool say_hello(int fd)
{
	uint8_t bytes[QREXEC_HEADER_SIZE + 4], body[8];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));
	unsigned int version;
	struct wire in;
	uint32_t size;

	if (!read_message(fd, MSG_HELLO, body, &size)) {
		return false;
	}
	in = wire_of(body, size);
	if (qrexec_hello_decode(&in, QREXEC_VERSION_LOCAL, &version) ||
	    version != QREXEC_VERSION_LOCAL) {
		return false;
	}
	qrexec_hello_encode(&out, QREXEC_VERSION_LOCAL);
	return write_all(fd, bytes, out.size);
}

int daemon_connect(const char *socket_dir, const char *domain_name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (!qrexec_is_name(domain_name, "") ||
	    snprintf(address.sun_path, sizeof(address.sun_path), "%s/qrexec.%s", socket_dir,
		     domain_name) >= (int)sizeof(address.sun_path)) {
		fprintf(stderr, "qrexec: not a domain name: %s\n", domain_name);
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		fprintf(stderr, "qrexec: domain %s is not running, or has no qrexec-daemon: %s\n",
			domain_name, strerror(errno));
	} else if (!say_hello(fd)) {
		fprintf(stderr, "qrexec: the daemon of %s did not say HELLO\n", domain_name);
	} else {
		return fd;
	}
	if (fd >= 0) {
		close(fd);
	}
	return -1;
}

static int read_place(int fd, enum qrexec_type type, struct qrexec_place *place)
{
	uint8_t body[8];
	struct wire in;
	uint32_t size;

	if (!read_message(fd, type, body, &size)) {
		fprintf(stderr, "qrexec: the daemon ended the connection\n");
		return -1;
	}
	in = wire_of(body, size);
	return qrexec_place_decode(&in, place) ? -1 : 0;
}

int daemon_request(int fd, enum qrexec_type type, unsigned int other_domain, const char *command,
		   struct qrexec_place *place)
{
	struct qrexec_exec exec = {.domain = other_domain,
				   .command = command,
				   .command_size = (uint32_t)strnlen(command, 70000) + 1};
	size_t size = QREXEC_HEADER_SIZE + QREXEC_EXEC_SIZE + exec.command_size;
	uint8_t *bytes;
	struct wire_out out;
	bool is_sent;

	if (exec.command_size > QREXEC_COMMAND_SIZE_MAX) {
		fprintf(stderr, "qrexec: command too long\n");
		return -1;
	}
	bytes = malloc(size);
	if (!bytes) {
		return -1;
	}
	out = wire_out_of(bytes, size);
	qrexec_exec_encode(&out, type, &exec);
	is_sent = write_all(fd, bytes, out.size);
	free(bytes);
	return is_sent ? read_place(fd, type, place) : -1;
}

int daemon_service_connect(int fd, const char *ident, struct qrexec_place *place)
{
	struct qrexec_connect connect = {.place = *place};
	uint8_t bytes[QREXEC_HEADER_SIZE + 8 + QREXEC_IDENT_SIZE];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));

	if (strlen(ident) >= sizeof(connect.ident)) {
		return -1;
	}
	strcpy(connect.ident, ident);
	qrexec_connect_encode(&out, &connect);
	if (!write_all(fd, bytes, out.size)) {
		return -1;
	}
	return place->port ? 0 : read_place(fd, MSG_SERVICE_CONNECT, place);
}

int connect_serve_here(const char *socket_dir, const struct connect_caller *caller,
		       const char *command_line)
{
	struct qrexec_place place = {0};
	struct service_config config;
	struct command command;
	struct call_io io = {.is_service = true};
	int fd, rc;

	if (command_parse(command_line, false, &command) ||
	    service_config_load(&command, &config)) {
		return QREXEC_EXIT_PROBLEM;
	}
	fd = daemon_connect(socket_dir, caller->name);
	if (fd < 0 || daemon_service_connect(fd, caller->ident, &place)) {
		return QREXEC_EXIT_PROBLEM;
	}
	io.vchan = call_connect((int)place.domain, (int)place.port, fd);
	if (!io.vchan) {
		fprintf(stderr, "qrexec: caller in %s is gone: %s\n", caller->name,
			strerror(errno));
		return QREXEC_EXIT_PROBLEM;
	}
	rc = service_start(&command, &config, SHELL_SYSTEM, &io);
	if (rc) {
		call_fail(io.vchan, rc, "qrexec: dom0 does not have this service\n");
	} else {
		rc = call_run(&io);
	}
	libvchan_close(io.vchan);
	command_fini(&command);
	close(fd);
	return rc;
}

int connect_domains(const char *socket_dir, const struct connect_caller *caller,
		    const char *target_name, const char *command, bool is_waiting)
{
	struct qrexec_place place;
	int target, source, rc;
	uint8_t byte;

	target = daemon_connect(socket_dir, target_name);
	if (target < 0 ||
	    daemon_request(target, MSG_EXEC_CMDLINE, caller->domain, command, &place)) {
		return QREXEC_EXIT_PROBLEM;
	}
	source = daemon_connect(socket_dir, caller->name);
	rc = source < 0 || daemon_service_connect(source, caller->ident, &place)
		     ? QREXEC_EXIT_PROBLEM
		     : 0;
	if (!rc && is_waiting) {
		(void)read_all(target, &byte, 1); /* its daemon ends this with the call */
	}
	close(target);
	if (source >= 0) {
		close(source);
	}
	return rc;
}
