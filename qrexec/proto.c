/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/proto.h"

#include <errno.h>
#include <string.h>

/* Domain ids end below this (Xen: DOMID_FIRST_RESERVED). */
#define DOMAIN_END 0x7ff0

#define BIT(direction) (1u << (direction))

/* Which message goes where, how long it can be, and since which version it is spoken. */
static const struct rule {
	enum qrexec_type type;
	unsigned int directions;
	uint32_t size_min;
	uint32_t size_max;
	unsigned int version_min;
	unsigned int version_max;
} rules[] = {
	{MSG_HELLO, BIT(QREXEC_DIRECTION_COUNT) - 1 - BIT(QREXEC_CLIENT_TO_AGENT), 4, 4, 0, 99},
	{MSG_DATA_STDIN, BIT(QREXEC_CALLER_TO_SERVICE), 0, 65536, 0, 99},
	{MSG_DATA_STDOUT, BIT(QREXEC_SERVICE_TO_CALLER), 0, 65536, 0, 99},
	{MSG_DATA_STDERR, BIT(QREXEC_SERVICE_TO_CALLER), 0, 65536, 0, 99},
	{MSG_DATA_EXIT_CODE, BIT(QREXEC_SERVICE_TO_CALLER), 4, 4, 0, 99},
	{MSG_EXEC_CMDLINE, BIT(QREXEC_DAEMON_TO_AGENT) | BIT(QREXEC_CLIENT_TO_DAEMON),
	 QREXEC_EXEC_SIZE + 1, QREXEC_EXEC_SIZE + QREXEC_COMMAND_SIZE_MAX, 0, 99},
	{MSG_JUST_EXEC, BIT(QREXEC_DAEMON_TO_AGENT) | BIT(QREXEC_CLIENT_TO_DAEMON),
	 QREXEC_EXEC_SIZE + 1, QREXEC_EXEC_SIZE + QREXEC_COMMAND_SIZE_MAX, 0, 99},
	{MSG_SERVICE_CONNECT, BIT(QREXEC_DAEMON_TO_AGENT) | BIT(QREXEC_CLIENT_TO_DAEMON), 40, 40, 0,
	 99},
	{MSG_EXEC_CMDLINE, BIT(QREXEC_DAEMON_TO_CLIENT), 8, 8, 0, 99},
	{MSG_JUST_EXEC, BIT(QREXEC_DAEMON_TO_CLIENT), 8, 8, 0, 99},
	{MSG_SERVICE_CONNECT, BIT(QREXEC_DAEMON_TO_CLIENT), 8, 8, 0, 99},
	{MSG_SERVICE_REFUSED, BIT(QREXEC_DAEMON_TO_AGENT), 32, 32, 0, 99},
	{MSG_CONNECTION_TERMINATED, BIT(QREXEC_AGENT_TO_DAEMON), 8, 8, 0, 99},
	{MSG_TRIGGER_V2, BIT(QREXEC_AGENT_TO_DAEMON), 128, 128, 2, 2},
	{MSG_TRIGGER_V3, BIT(QREXEC_AGENT_TO_DAEMON) | BIT(QREXEC_CLIENT_TO_AGENT), 98,
	 96 + QREXEC_SERVICE_SIZE_MAX, 3, 99},
	{MSG_TRIGGER_V4, BIT(QREXEC_AGENT_TO_DAEMON) | BIT(QREXEC_CLIENT_TO_AGENT), 162,
	 160 + QREXEC_SERVICE_SIZE_MAX, 4, 99},
};

uint32_t qrexec_chunk_size_max(unsigned int version)
{
	return version < 3 ? 4096 : 65536;
}

static bool is_data(enum qrexec_type type)
{
	return type >= MSG_DATA_STDIN && type <= MSG_DATA_STDERR;
}

int qrexec_header_decode(struct wire *in, enum qrexec_direction direction, unsigned int version,
			 struct qrexec_header *out)
{
	uint32_t type = wire_u32le(in);
	uint32_t size = wire_u32le(in);
	const struct rule *r;
	size_t i;

	if (!wire_at_end(in)) {
		return -EPROTO;
	}
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		r = &rules[i];
		if (r->type == type && (r->directions & BIT(direction)) &&
		    version >= r->version_min && version <= r->version_max) {
			break;
		}
	}
	if (i == sizeof(rules) / sizeof(rules[0])) {
		return -EPROTO;
	}
	if (size < r->size_min || size > r->size_max ||
	    (is_data(r->type) && size > qrexec_chunk_size_max(version))) {
		return -EMSGSIZE;
	}
	*out = (struct qrexec_header){.type = r->type, .size = size};
	return 0;
}

void qrexec_header_encode(struct wire_out *out, enum qrexec_type type, uint32_t size)
{
	wire_put_u32le(out, type);
	wire_put_u32le(out, size);
}

int qrexec_hello_decode(struct wire *in, unsigned int own_version, unsigned int *version)
{
	uint32_t theirs = wire_u32le(in);

	if (!wire_at_end(in) || theirs < QREXEC_VERSION_MIN) {
		return -EPROTO;
	}
	*version = theirs < own_version ? theirs : own_version;
	return 0;
}

void qrexec_hello_encode(struct wire_out *out, unsigned int version)
{
	qrexec_header_encode(out, MSG_HELLO, 4);
	wire_put_u32le(out, version);
}

/* Port 0 means that the daemon shall choose. */
static bool is_place_valid(uint32_t domain, uint32_t port)
{
	return domain < DOMAIN_END &&
	       (port == 0 || (port >= QREXEC_DATA_PORT_FIRST &&
			      port < QREXEC_DATA_PORT_FIRST + QREXEC_DATA_PORT_COUNT));
}

/* A string that ends exactly with the message: NULL when it does not, or has NULs inside. */
static const char *rest_as_string(struct wire *in, uint32_t *size)
{
	size_t left = wire_left(in);
	const char *text = (const char *)wire_bytes(in, left);

	if (!text || !left || memchr(text, 0, left) != text + left - 1) {
		return NULL;
	}
	*size = (uint32_t)left;
	return text;
}

int qrexec_exec_decode(struct wire *in, struct qrexec_exec *out)
{
	struct qrexec_exec e;

	e.domain = wire_u32le(in);
	e.port = wire_u32le(in);
	e.command = rest_as_string(in, &e.command_size);
	if (!wire_at_end(in) || !e.command || e.command_size > QREXEC_COMMAND_SIZE_MAX) {
		return -EPROTO;
	}
	if (!is_place_valid(e.domain, e.port)) {
		return -ERANGE;
	}
	*out = e;
	return 0;
}

void qrexec_exec_encode(struct wire_out *out, enum qrexec_type type, const struct qrexec_exec *exec)
{
	qrexec_header_encode(out, type, QREXEC_EXEC_SIZE + exec->command_size);
	wire_put_u32le(out, exec->domain);
	wire_put_u32le(out, exec->port);
	wire_put_bytes(out, exec->command, exec->command_size);
}

int qrexec_fork_head_decode(struct wire *in, struct qrexec_fork *out)
{
	struct qrexec_fork f = {0};
	uint32_t type = wire_u32le(in);

	f.exec.domain = wire_u32le(in);
	f.exec.port = wire_u32le(in);
	f.exec.command_size = wire_u32le(in);
	if (!wire_at_end(in) || (type != MSG_EXEC_CMDLINE && type != MSG_JUST_EXEC)) {
		return -EPROTO;
	}
	if (!f.exec.command_size || f.exec.command_size > QREXEC_COMMAND_SIZE_MAX) {
		return -EMSGSIZE;
	}
	if (!is_place_valid(f.exec.domain, f.exec.port) || !f.exec.port) {
		return -ERANGE;
	}
	f.type = type;
	*out = f;
	return 0;
}

int qrexec_fork_command_decode(struct wire *in, struct qrexec_fork *out)
{
	uint32_t size;
	const char *command = rest_as_string(in, &size);

	if (!wire_at_end(in) || !command || size != out->exec.command_size) {
		return -EPROTO;
	}
	out->exec.command = command;
	return 0;
}

void qrexec_fork_encode(struct wire_out *out, const struct qrexec_fork *fork)
{
	wire_put_u32le(out, fork->type);
	wire_put_u32le(out, fork->exec.domain);
	wire_put_u32le(out, fork->exec.port);
	wire_put_u32le(out, fork->exec.command_size);
	wire_put_bytes(out, fork->exec.command, fork->exec.command_size);
}

int qrexec_place_decode(struct wire *in, struct qrexec_place *out)
{
	struct qrexec_place p;

	p.domain = wire_u32le(in);
	p.port = wire_u32le(in);
	if (!wire_at_end(in)) {
		return -EPROTO;
	}
	if (!is_place_valid(p.domain, p.port) || !p.port) {
		return -ERANGE;
	}
	*out = p;
	return 0;
}

void qrexec_place_encode(struct wire_out *out, enum qrexec_type type,
			 const struct qrexec_place *place)
{
	qrexec_header_encode(out, type, 8);
	wire_put_u32le(out, place->domain);
	wire_put_u32le(out, place->port);
}

/* A field of fixed size with a string inside; what follows the NUL is dropped. */
static bool get_field(struct wire *in, char *text, size_t size)
{
	const uint8_t *bytes = wire_bytes(in, size);
	size_t length;

	memset(text, 0, size);
	if (!bytes) {
		return false;
	}
	length = strnlen((const char *)bytes, size);
	if (length == size) {
		return false;
	}
	memcpy(text, bytes, length);
	return true;
}

static void put_field(struct wire_out *out, const char *text, size_t field_size)
{
	static const uint8_t zeroes[QREXEC_NAME_SIZE];
	size_t length = strnlen(text, field_size - 1);

	wire_put_bytes(out, text, length);
	wire_put_bytes(out, zeroes, field_size - length);
}

int qrexec_connect_decode(struct wire *in, struct qrexec_connect *out)
{
	struct qrexec_connect c;
	bool is_ident;

	c.place.domain = wire_u32le(in);
	c.place.port = wire_u32le(in);
	is_ident = get_field(in, c.ident, sizeof(c.ident));
	if (!wire_at_end(in) || !is_ident) {
		return -EPROTO;
	}
	if (!is_place_valid(c.place.domain, c.place.port)) {
		return -ERANGE;
	}
	*out = c;
	return 0;
}

void qrexec_connect_encode(struct wire_out *out, const struct qrexec_connect *connect)
{
	qrexec_header_encode(out, MSG_SERVICE_CONNECT, 8 + QREXEC_IDENT_SIZE);
	wire_put_u32le(out, connect->place.domain);
	wire_put_u32le(out, connect->place.port);
	put_field(out, connect->ident, QREXEC_IDENT_SIZE);
}

int qrexec_ident_decode(struct wire *in, char ident[QREXEC_IDENT_SIZE])
{
	char text[QREXEC_IDENT_SIZE];
	bool is_ident = get_field(in, text, sizeof(text));

	if (!wire_at_end(in) || !is_ident) {
		return -EPROTO;
	}
	memcpy(ident, text, sizeof(text));
	return 0;
}

void qrexec_refused_encode(struct wire_out *out, const char *ident)
{
	qrexec_header_encode(out, MSG_SERVICE_REFUSED, QREXEC_IDENT_SIZE);
	put_field(out, ident, QREXEC_IDENT_SIZE);
}

int qrexec_exit_code_decode(struct wire *in, uint32_t *code)
{
	uint32_t x = wire_u32le(in);

	if (!wire_at_end(in)) {
		return -EPROTO;
	}
	*code = x;
	return 0;
}

void qrexec_exit_code_encode(struct wire_out *out, uint32_t code)
{
	qrexec_header_encode(out, MSG_DATA_EXIT_CODE, 4);
	wire_put_u32le(out, code);
}

bool qrexec_is_name(const char *name, const char *extra)
{
	const char *p;

	for (p = name; *p; p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		    (*p >= '0' && *p <= '9') || strchr("_-.", *p) || strchr(extra, *p)) {
			continue;
		}
		return false;
	}
	return p != name;
}

static bool is_target(const char *target)
{
	return !*target || qrexec_is_name(target, "@:");
}

static int decode_v2(struct wire *in, struct qrexec_trigger *t)
{
	const char *service = (const char *)wire_bytes(in, 64);
	bool is_target_field = get_field(in, t->target, 32);
	bool is_ident = get_field(in, t->ident, QREXEC_IDENT_SIZE);
	size_t length;

	if (!wire_at_end(in) || !is_target_field || !is_ident) {
		return -EPROTO;
	}
	length = strnlen(service, 64);
	if (length == 64) {
		return -EPROTO;
	}
	t->service = service;
	t->service_size = (uint32_t)length + 1;
	return 0;
}

static int decode_v34(struct wire *in, bool has_source, struct qrexec_trigger *t)
{
	bool is_source = !has_source || get_field(in, t->source, sizeof(t->source));
	bool is_target_field = get_field(in, t->target, sizeof(t->target));
	bool is_ident = get_field(in, t->ident, sizeof(t->ident));

	t->service = rest_as_string(in, &t->service_size);
	if (!wire_at_end(in) || !is_source || !is_target_field || !is_ident || !t->service ||
	    t->service_size > QREXEC_SERVICE_SIZE_MAX) {
		return -EPROTO;
	}
	return 0;
}

int qrexec_trigger_decode(struct wire *in, enum qrexec_type type, struct qrexec_trigger *out)
{
	struct qrexec_trigger t = {0};
	int rc = type == MSG_TRIGGER_V2 ? decode_v2(in, &t)
					: decode_v34(in, type == MSG_TRIGGER_V4, &t);

	if (rc) {
		return rc;
	}
	t.are_names_valid = qrexec_is_name(t.service, "+") && t.service[0] != '+' &&
			    is_target(t.target) && (!*t.source || qrexec_is_name(t.source, "")) &&
			    qrexec_is_name(t.ident, " ");
	*out = t;
	return 0;
}

void qrexec_trigger_encode(struct wire_out *out, enum qrexec_type type,
			   const struct qrexec_trigger *trigger)
{
	if (type == MSG_TRIGGER_V2) {
		qrexec_header_encode(out, type, 128);
		put_field(out, trigger->service, 64);
		put_field(out, trigger->target, 32);
		put_field(out, trigger->ident, QREXEC_IDENT_SIZE);
		return;
	}
	qrexec_header_encode(out, type,
			     (type == MSG_TRIGGER_V4 ? 160 : 96) + trigger->service_size);
	if (type == MSG_TRIGGER_V4) {
		put_field(out, trigger->source, QREXEC_NAME_SIZE);
	}
	put_field(out, trigger->target, QREXEC_NAME_SIZE);
	put_field(out, trigger->ident, QREXEC_IDENT_SIZE);
	wire_put_bytes(out, trigger->service, trigger->service_size);
}
