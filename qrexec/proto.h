/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of qrexec, versions 2, 3 and 4: decode and encode, nothing else.
 *
 * Every message is a header {u32 type, u32 size} and a body, little-endian. A header is decoded
 * with the direction it came from, so that a type which this peer may not send, or a size which
 * its type cannot have, is refused before a byte of the body is read. Body decoders demand the
 * exact length and write *out last. Pure: no I/O, no allocation, no state; any context.
 *
 * Source of the numbers: the qrexec protocol as stock Qubes OS 4.x agents and daemons speak it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"

#define QREXEC_VERSION_MIN	2
#define QREXEC_VERSION_MAX	4
#define QREXEC_VERSION_LOCAL	3 /* on the daemon's socket in dom0 */
#define QREXEC_CONTROL_PORT	512
#define QREXEC_DATA_PORT_FIRST	513
#define QREXEC_DATA_PORT_COUNT	256
#define QREXEC_COMMAND_SIZE_MAX 65535 /* with its NUL */
#define QREXEC_SERVICE_SIZE_MAX 65000 /* with its NUL */
#define QREXEC_IDENT_SIZE	32
#define QREXEC_NAME_SIZE	64
#define QREXEC_HEADER_SIZE	8
#define QREXEC_EXEC_SIZE	8 /* domain and port, before the command */

enum qrexec_type {
	MSG_DATA_STDIN = 0x190,
	MSG_DATA_STDOUT = 0x191,
	MSG_DATA_STDERR = 0x192,
	MSG_DATA_EXIT_CODE = 0x193,
	MSG_EXEC_CMDLINE = 0x200,
	MSG_JUST_EXEC = 0x201,
	MSG_SERVICE_CONNECT = 0x202,
	MSG_SERVICE_REFUSED = 0x203,
	MSG_TRIGGER_V2 = 0x210,
	MSG_CONNECTION_TERMINATED = 0x211,
	MSG_TRIGGER_V3 = 0x212,
	MSG_TRIGGER_V4 = 0x213,
	MSG_HELLO = 0x300,
};

/* Who sends. */
enum qrexec_direction {
	QREXEC_DAEMON_TO_AGENT,	  /* control vchan */
	QREXEC_AGENT_TO_DAEMON,	  /* control vchan */
	QREXEC_CALLER_TO_SERVICE, /* data vchan: standard input */
	QREXEC_SERVICE_TO_CALLER, /* data vchan: output, errors, exit code */
	QREXEC_CLIENT_TO_DAEMON,  /* dom0: socket qrexec.NAME */
	QREXEC_DAEMON_TO_CLIENT,
	QREXEC_CLIENT_TO_AGENT, /* guest: socket qrexec-agent */
	QREXEC_DIRECTION_COUNT,
};

struct qrexec_header {
	enum qrexec_type type;
	uint32_t size; /* of the body */
};

/*
 * version is what was agreed on (any before HELLO). 0; -EPROTO: type not allowed in this direction
 * or version; -EMSGSIZE: impossible size for the type.
 */
int qrexec_header_decode(struct wire *in, enum qrexec_direction direction, unsigned int version,
			 struct qrexec_header *out);
void qrexec_header_encode(struct wire_out *out, enum qrexec_type type, uint32_t size);

/* Bytes of data in one message at most. */
uint32_t qrexec_chunk_size_max(unsigned int version);

/* The version of the peer's HELLO body, cut to ours. -EPROTO: wrong length, or below 2. */
int qrexec_hello_decode(struct wire *in, unsigned int own_version, unsigned int *version);
void qrexec_hello_encode(struct wire_out *out, unsigned int version);

/* EXEC_CMDLINE, JUST_EXEC: command points into the message, NUL-terminated, without other NULs. */
struct qrexec_exec {
	uint32_t domain;
	uint32_t port;
	const char *command;
	uint32_t command_size; /* with its NUL */
};

/* -EPROTO: length, no NUL at the end, a NUL before it; -ERANGE: domain or port. Port 0 is "any". */
int qrexec_exec_decode(struct wire *in, struct qrexec_exec *out);
void qrexec_exec_encode(struct wire_out *out, enum qrexec_type type,
			const struct qrexec_exec *exec);

/*
 * What an agent asks a fork server: {type, domain, port, size of the command} and the command,
 * which has no user. type is EXEC_CMDLINE or JUST_EXEC. The head tells how long the rest is.
 */
#define QREXEC_FORK_HEAD_SIZE 16
struct qrexec_fork {
	enum qrexec_type type;
	struct qrexec_exec exec;
};

/* Size of the command, with its NUL. -EPROTO: length, type; -EMSGSIZE; -ERANGE: domain or port. */
int qrexec_fork_head_decode(struct wire *in, struct qrexec_fork *out);
/* in is the command, out has its head. -EPROTO: not as long as said, no NUL at its end, or others.
 */
int qrexec_fork_command_decode(struct wire *in, struct qrexec_fork *out);
void qrexec_fork_encode(struct wire_out *out, const struct qrexec_fork *fork);

/* {domain, port} alone: answer to a client, or CONNECTION_TERMINATED. */
struct qrexec_place {
	uint32_t domain;
	uint32_t port;
};

int qrexec_place_decode(struct wire *in, struct qrexec_place *out);
void qrexec_place_encode(struct wire_out *out, enum qrexec_type type,
			 const struct qrexec_place *place);

/* SERVICE_CONNECT, which carries the place and the caller's ident. */
struct qrexec_connect {
	struct qrexec_place place;
	char ident[QREXEC_IDENT_SIZE];
};

int qrexec_connect_decode(struct wire *in, struct qrexec_connect *out);
void qrexec_connect_encode(struct wire_out *out, const struct qrexec_connect *connect);

/* SERVICE_REFUSED. */
int qrexec_ident_decode(struct wire *in, char ident[QREXEC_IDENT_SIZE]);
void qrexec_refused_encode(struct wire_out *out, const char *ident);

/* EXIT_CODE. */
int qrexec_exit_code_decode(struct wire *in, uint32_t *code);
void qrexec_exit_code_encode(struct wire_out *out, uint32_t code);

/* TRIGGER of any version. service points into the message. */
struct qrexec_trigger {
	char source[QREXEC_NAME_SIZE]; /* version 4, else empty */
	char target[QREXEC_NAME_SIZE];
	char ident[QREXEC_IDENT_SIZE];
	const char *service;   /* "name" or "name+argument" */
	uint32_t service_size; /* with its NUL */
	/*
	 * False when a name has characters that no name has: a user of the guest can cause that
	 * with a typing error, so it is a reason to refuse the call, not to end the connection.
	 */
	bool are_names_valid;
};

/* type is one of the three TRIGGER types. -EPROTO: length, or a string without end. */
int qrexec_trigger_decode(struct wire *in, enum qrexec_type type, struct qrexec_trigger *out);
void qrexec_trigger_encode(struct wire_out *out, enum qrexec_type type,
			   const struct qrexec_trigger *trigger);

/* Letters, digits and "_-." or one of extra; not empty. */
bool qrexec_is_name(const char *name, const char *extra);
