/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process of the daemon that reads what the agent says, and nothing else.
 *
 * It holds the control vchan and one socket to the daemon; after HELLO it is sandboxed. Towards
 * the daemon it sends one struct parser_report for each valid message, with the service name
 * behind it; from the daemon it takes whole encoded messages and passes them on. A message that
 * breaks a rule is one line in the log and the end of this process.
 */
#pragma once

#include "qrexec/proto.h"

enum parser_kind {
	PARSER_READY = 1,  /* HELLO is done: version */
	PARSER_TRIGGER,	   /* trigger, followed by service_size bytes */
	PARSER_TERMINATED, /* place */
};

struct parser_report {
	uint32_t kind;
	uint32_t version;
	struct qrexec_place place;
	struct qrexec_trigger trigger; /* its service pointer means nothing here */
};

/* domain_name is for the log. Never returns. */
_Noreturn void parser_main(int domain, const char *domain_name, int daemon_fd);

/*
 * The daemon's second look at a report: a captured parser may send anything. True when every
 * field is in range and every string ends; service is then set to the bytes behind the struct.
 */
bool parser_report_is_valid(struct parser_report *report, const uint8_t *bytes, size_t size);
