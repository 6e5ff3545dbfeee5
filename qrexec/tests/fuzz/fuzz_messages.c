/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every decoder of qrexec messages, both directions: first byte direction (0x80: a report of a
 * parser, 0x40: a request to a fork server), second version, then header and body. What is accepted
 * keeps its promises, and encodes to the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "qrexec/parser.h"
#include "qrexec/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition)
{
	if (!condition) {
		abort();
	}
}

static uint8_t again[70000];

/* The encoder's idea of the message is the message. */
static void expect_same(const struct wire_out *out, const uint8_t *data, size_t size)
{
	expect(wire_out_ok(out) && out->size == size && !memcmp(out->bytes, data, size));
}

static void try_place(struct wire in)
{
	struct qrexec_place p;

	if (!qrexec_place_decode(&in, &p)) {
		expect(p.port >= 513 && p.port < 769 && p.domain < 0x7ff0);
	}
}

static void try_body(const struct qrexec_header *h, struct wire in, const uint8_t *data,
		     size_t size)
{
	struct wire_out out = wire_out_of(again, sizeof(again));
	struct qrexec_connect connect;
	struct qrexec_trigger trigger;
	struct qrexec_exec exec;
	unsigned int version;
	char ident[QREXEC_IDENT_SIZE];
	uint32_t code;

	switch (h->type) {
	case MSG_HELLO:
		if (!qrexec_hello_decode(&in, 4, &version)) {
			expect(version >= 2 && version <= 4);
		}
		break;
	case MSG_EXEC_CMDLINE:
	case MSG_JUST_EXEC:
		if (h->size == 8) {
			try_place(in);
		} else if (!qrexec_exec_decode(&in, &exec)) {
			expect(strlen(exec.command) + 1 == exec.command_size);
			qrexec_exec_encode(&out, h->type, &exec);
			expect_same(&out, data, size);
		}
		break;
	case MSG_SERVICE_CONNECT:
		if (h->size == 8) {
			try_place(in);
		} else if (!qrexec_connect_decode(&in, &connect)) {
			expect(strlen(connect.ident) < QREXEC_IDENT_SIZE);
		}
		break;
	case MSG_SERVICE_REFUSED:
		if (!qrexec_ident_decode(&in, ident)) {
			expect(strlen(ident) < QREXEC_IDENT_SIZE);
		}
		break;
	case MSG_CONNECTION_TERMINATED:
		try_place(in);
		break;
	case MSG_TRIGGER_V2:
	case MSG_TRIGGER_V3:
	case MSG_TRIGGER_V4:
		if (!qrexec_trigger_decode(&in, h->type, &trigger)) {
			expect(strlen(trigger.service) + 1 == trigger.service_size);
			expect(strlen(trigger.target) < QREXEC_NAME_SIZE);
			expect(!trigger.are_names_valid || !strpbrk(trigger.service, " /\n:@"));
			qrexec_trigger_encode(&out, h->type, &trigger);
			expect(wire_out_ok(&out) && out.size == size);
		}
		break;
	case MSG_DATA_EXIT_CODE:
		expect(!qrexec_exit_code_decode(&in, &code));
		break;
	default:
		expect(h->size <= 65536);
	}
}

static void try_fork_request(const uint8_t *data, size_t size)
{
	struct wire in = wire_of(data, size < QREXEC_FORK_HEAD_SIZE ? size : QREXEC_FORK_HEAD_SIZE);
	struct wire_out out = wire_out_of(again, sizeof(again));
	struct qrexec_fork request;

	if (qrexec_fork_head_decode(&in, &request)) {
		return;
	}
	in = wire_of(data + QREXEC_FORK_HEAD_SIZE, size - QREXEC_FORK_HEAD_SIZE);
	if (!qrexec_fork_command_decode(&in, &request)) {
		expect(strlen(request.exec.command) + 1 == request.exec.command_size);
		qrexec_fork_encode(&out, &request);
		expect_same(&out, data, size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qrexec_header header;
	struct parser_report report;
	unsigned int direction, version;
	struct wire in;

	if (size < 2) {
		return 0;
	}
	direction = data[0] % QREXEC_DIRECTION_COUNT;
	version = 2 + data[1] % 3;
	if (data[0] & 0x80) {
		if (parser_report_is_valid(&report, data + 2, size - 2) &&
		    report.kind == PARSER_TRIGGER) {
			expect(strlen(report.trigger.service) + 1 == report.trigger.service_size);
		}
		return 0;
	}
	if (data[0] & 0x40) {
		try_fork_request(data + 2, size - 2);
		return 0;
	}
	data += 2;
	size -= 2;
	in = wire_of(data, size < QREXEC_HEADER_SIZE ? size : QREXEC_HEADER_SIZE);
	if (qrexec_header_decode(&in, (enum qrexec_direction)direction, version, &header)) {
		return 0;
	}
	expect(header.size <= QREXEC_EXEC_SIZE + QREXEC_COMMAND_SIZE_MAX);
	if (size - QREXEC_HEADER_SIZE < header.size) {
		return 0;
	}
	try_body(&header, wire_of(data + QREXEC_HEADER_SIZE, header.size), data,
		 QREXEC_HEADER_SIZE + header.size);
	return 0;
}
