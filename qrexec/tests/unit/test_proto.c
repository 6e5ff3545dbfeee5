/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages, commands, ports, policy questions: what is taken and what is refused. */
#include <errno.h>
#include <stdlib.h>

#include "base/test.h"
#include "qrexec/command.h"
#include "qrexec/fork_client.h"
#include "qrexec/ports.h"
#include "qrexec/proto.h"
#include "qrexec/query.h"

static uint8_t bytes[70000];
static struct wire_out out;

static void reset(void)
{
	memset(bytes, 0xaa, sizeof(bytes));
	out = wire_out_of(bytes, sizeof(bytes));
}

static struct wire body(void)
{
	return wire_of(bytes + QREXEC_HEADER_SIZE, out.size - QREXEC_HEADER_SIZE);
}

static int header(uint32_t type, uint32_t size, enum qrexec_direction direction,
		  unsigned int version)
{
	uint8_t raw[8];
	struct wire_out w = wire_out_of(raw, sizeof(raw));
	struct wire in = wire_of(raw, sizeof(raw));
	struct qrexec_header h;

	wire_put_u32le(&w, type);
	wire_put_u32le(&w, size);
	return qrexec_header_decode(&in, direction, version, &h);
}

TEST(header, each_type_has_its_direction)
{
	static const struct {
		uint32_t type, size;
		unsigned int directions; /* as bits */
	} cases[] = {
		{MSG_DATA_STDIN, 1, 1 << QREXEC_CALLER_TO_SERVICE},
		{MSG_DATA_STDOUT, 1, 1 << QREXEC_SERVICE_TO_CALLER},
		{MSG_DATA_STDERR, 1, 1 << QREXEC_SERVICE_TO_CALLER},
		{MSG_DATA_EXIT_CODE, 4, 1 << QREXEC_SERVICE_TO_CALLER},
		{MSG_EXEC_CMDLINE, 20, 1 << QREXEC_DAEMON_TO_AGENT | 1 << QREXEC_CLIENT_TO_DAEMON},
		{MSG_EXEC_CMDLINE, 8, 1 << QREXEC_DAEMON_TO_CLIENT},
		{MSG_JUST_EXEC, 20, 1 << QREXEC_DAEMON_TO_AGENT | 1 << QREXEC_CLIENT_TO_DAEMON},
		{MSG_SERVICE_CONNECT, 40,
		 1 << QREXEC_DAEMON_TO_AGENT | 1 << QREXEC_CLIENT_TO_DAEMON},
		{MSG_SERVICE_REFUSED, 32, 1 << QREXEC_DAEMON_TO_AGENT},
		{MSG_CONNECTION_TERMINATED, 8, 1 << QREXEC_AGENT_TO_DAEMON},
		{MSG_TRIGGER_V3, 100, 1 << QREXEC_AGENT_TO_DAEMON | 1 << QREXEC_CLIENT_TO_AGENT},
		{MSG_TRIGGER_V4, 170, 1 << QREXEC_AGENT_TO_DAEMON | 1 << QREXEC_CLIENT_TO_AGENT},
		{MSG_HELLO, 4, (1 << QREXEC_CLIENT_TO_AGENT) - 1},
		{0x12345, 4, 0},
		{0, 0, 0},
	};
	size_t i;
	int direction;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (direction = 0; direction < QREXEC_DIRECTION_COUNT; direction++) {
			int rc = header(cases[i].type, cases[i].size,
					(enum qrexec_direction)direction, 4);

			if ((rc == 0) != !!(cases[i].directions & 1 << direction)) {
				TEST_FAIL("type %#x direction %d: %d", cases[i].type, direction,
					  rc);
			}
		}
	}
}

TEST(header, sizes_and_versions_are_bounded)
{
	const enum qrexec_direction up = QREXEC_AGENT_TO_DAEMON;

	EXPECT_EQ(header(MSG_TRIGGER_V2, 128, up, 2), 0);
	EXPECT_EQ(header(MSG_TRIGGER_V2, 127, up, 2), -EMSGSIZE);
	EXPECT_EQ(header(MSG_TRIGGER_V2, 129, up, 2), -EMSGSIZE);
	EXPECT_EQ(header(MSG_TRIGGER_V2, 128, up, 3), -EPROTO);
	EXPECT_EQ(header(MSG_TRIGGER_V3, 98, up, 2), -EPROTO);
	EXPECT_EQ(header(MSG_TRIGGER_V3, 97, up, 3), -EMSGSIZE);
	EXPECT_EQ(header(MSG_TRIGGER_V3, 98, up, 3), 0);
	EXPECT_EQ(header(MSG_TRIGGER_V3, 96 + 65000, up, 3), 0);
	EXPECT_EQ(header(MSG_TRIGGER_V3, 97 + 65000, up, 3), -EMSGSIZE);
	EXPECT_EQ(header(MSG_TRIGGER_V4, 162, up, 3), -EPROTO);
	EXPECT_EQ(header(MSG_TRIGGER_V4, 162, up, 4), 0);
	EXPECT_EQ(header(MSG_CONNECTION_TERMINATED, 7, up, 3), -EMSGSIZE);
	EXPECT_EQ(header(MSG_HELLO, 5, up, 3), -EMSGSIZE);
	EXPECT_EQ(header(MSG_DATA_STDIN, 4096, QREXEC_CALLER_TO_SERVICE, 2), 0);
	EXPECT_EQ(header(MSG_DATA_STDIN, 4097, QREXEC_CALLER_TO_SERVICE, 2), -EMSGSIZE);
	EXPECT_EQ(header(MSG_DATA_STDIN, 65536, QREXEC_CALLER_TO_SERVICE, 3), 0);
	EXPECT_EQ(header(MSG_DATA_STDIN, 65537, QREXEC_CALLER_TO_SERVICE, 3), -EMSGSIZE);
	EXPECT_EQ(header(MSG_DATA_STDIN, 0, QREXEC_CALLER_TO_SERVICE, 3), 0);
	EXPECT_EQ(header(MSG_DATA_EXIT_CODE, 3, QREXEC_SERVICE_TO_CALLER, 3), -EMSGSIZE);
	EXPECT_EQ(header(MSG_EXEC_CMDLINE, 8, QREXEC_DAEMON_TO_AGENT, 3), -EMSGSIZE);
	EXPECT_EQ(header(MSG_EXEC_CMDLINE, 8 + 65535, QREXEC_DAEMON_TO_AGENT, 3), 0);
	EXPECT_EQ(header(MSG_EXEC_CMDLINE, 8 + 65536, QREXEC_DAEMON_TO_AGENT, 3), -EMSGSIZE);
	EXPECT_EQ(header(MSG_EXEC_CMDLINE, UINT32_MAX, QREXEC_DAEMON_TO_AGENT, 3), -EMSGSIZE);
}

TEST(hello, the_lower_version_counts_and_below_two_is_refused)
{
	unsigned int version = 0, i;
	static const struct {
		uint32_t theirs;
		int rc;
		unsigned int agreed;
	} cases[] = {{0, -EPROTO, 0}, {1, -EPROTO, 0}, {2, 0, 2},	  {3, 0, 3},
		     {4, 0, 4},	      {5, 0, 4},       {UINT32_MAX, 0, 4}};
	struct wire in;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reset();
		qrexec_hello_encode(&out, cases[i].theirs);
		in = body();
		version = 0;
		EXPECT_EQ(qrexec_hello_decode(&in, 4, &version), cases[i].rc);
		EXPECT_EQ(version, cases[i].agreed);
	}
	in = wire_of(bytes, 3);
	EXPECT_EQ(qrexec_hello_decode(&in, 4, &version), -EPROTO);
	in = wire_of(bytes, 5);
	EXPECT_EQ(qrexec_hello_decode(&in, 4, &version), -EPROTO);
}

TEST(exec, survives_a_round_trip_and_refuses_the_rest)
{
	struct qrexec_exec e = {.domain = 5, .port = 513, .command = "user:ls", .command_size = 8},
			   d;
	struct wire in;
	uint32_t i;

	reset();
	qrexec_exec_encode(&out, MSG_EXEC_CMDLINE, &e);
	in = body();
	EXPECT_EQ(qrexec_exec_decode(&in, &d), 0);
	EXPECT_EQ(d.domain, 5);
	EXPECT_EQ(d.port, 513);
	EXPECT_STR(d.command, "user:ls");
	for (i = 0; i < 16; i++) { /* every truncation */
		in = wire_of(bytes + QREXEC_HEADER_SIZE, i);
		EXPECT(qrexec_exec_decode(&in, &d) < 0);
	}
	bytes[QREXEC_HEADER_SIZE + 10] = 0; /* a NUL inside */
	in = body();
	EXPECT_EQ(qrexec_exec_decode(&in, &d), -EPROTO);

	static const struct {
		uint32_t domain, port;
		int rc;
	} places[] = {{0, 0, 0},
		      {0, 1, -ERANGE},
		      {0, 512, -ERANGE},
		      {0, 768, 0},
		      {0, 769, -ERANGE},
		      {0x7fef, 513, 0},
		      {0x7ff0, 513, -ERANGE},
		      {UINT32_MAX, 513, -ERANGE}};

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		reset();
		e.domain = places[i].domain;
		e.port = places[i].port;
		qrexec_exec_encode(&out, MSG_EXEC_CMDLINE, &e);
		in = body();
		EXPECT_EQ(qrexec_exec_decode(&in, &d), places[i].rc);
	}
}

static int fork_request(uint32_t type, uint32_t domain, uint32_t port, uint32_t size)
{
	struct qrexec_fork f;
	struct wire in;

	reset();
	wire_put_u32le(&out, type);
	wire_put_u32le(&out, domain);
	wire_put_u32le(&out, port);
	wire_put_u32le(&out, size);
	in = wire_of(bytes, out.size);
	return qrexec_fork_head_decode(&in, &f);
}

TEST(fork, survives_a_round_trip_and_refuses_the_rest)
{
	struct qrexec_fork f = {
		.type = MSG_JUST_EXEC,
		.exec = {.domain = 7, .port = 515, .command = "ls", .command_size = 3}};
	struct qrexec_fork again;
	struct wire in;

	reset();
	qrexec_fork_encode(&out, &f);
	EXPECT_EQ(out.size, QREXEC_FORK_HEAD_SIZE + 3);
	in = wire_of(bytes, QREXEC_FORK_HEAD_SIZE);
	EXPECT_EQ(qrexec_fork_head_decode(&in, &again), 0);
	EXPECT(again.type == MSG_JUST_EXEC && again.exec.domain == 7 && again.exec.port == 515);
	in = wire_of(bytes + QREXEC_FORK_HEAD_SIZE, 3);
	EXPECT_EQ(qrexec_fork_command_decode(&in, &again), 0);
	EXPECT_STR(again.exec.command, "ls");

	in = wire_of("l\0", 3); /* two ends */
	EXPECT_EQ(qrexec_fork_command_decode(&in, &again), -EPROTO);
	in = wire_of("lsx", 3); /* none */
	EXPECT_EQ(qrexec_fork_command_decode(&in, &again), -EPROTO);
	in = wire_of("l", 2); /* shorter than said */
	EXPECT_EQ(qrexec_fork_command_decode(&in, &again), -EPROTO);
	in = wire_of(bytes, QREXEC_FORK_HEAD_SIZE - 1);
	EXPECT_EQ(qrexec_fork_head_decode(&in, &again), -EPROTO);
	in = wire_of(bytes, QREXEC_FORK_HEAD_SIZE + 1);
	EXPECT_EQ(qrexec_fork_head_decode(&in, &again), -EPROTO);

	EXPECT_EQ(fork_request(MSG_EXEC_CMDLINE, 0, 513, 65535), 0);
	EXPECT_EQ(fork_request(MSG_SERVICE_CONNECT, 0, 513, 5), -EPROTO);
	EXPECT_EQ(fork_request(MSG_EXEC_CMDLINE, 0, 513, 0), -EMSGSIZE);
	EXPECT_EQ(fork_request(MSG_EXEC_CMDLINE, 0, 513, 65536), -EMSGSIZE);
	EXPECT_EQ(fork_request(MSG_EXEC_CMDLINE, 0, 513, 0xffffffff), -EMSGSIZE);
	EXPECT_EQ(fork_request(MSG_EXEC_CMDLINE, 0x7ff0, 513, 5), -ERANGE);
	EXPECT_EQ(fork_request(MSG_EXEC_CMDLINE, 0, 512, 5), -ERANGE);
	EXPECT_EQ(fork_request(MSG_EXEC_CMDLINE, 0, 0, 5), -ERANGE);
}

TEST(fork, the_users_name_goes_into_the_path_once)
{
	char path[32];

	EXPECT(fork_server_path("/run/%s.sock", "joe", path, sizeof(path)));
	EXPECT_STR(path, "/run/joe.sock");
	EXPECT(fork_server_path("/run/%d%n", "joe", path, sizeof(path)));
	EXPECT_STR(path, "/run/%d%n");
	EXPECT(fork_server_path("/%s/%s", "joe", path, sizeof(path)));
	EXPECT_STR(path, "/joe/%s");
	EXPECT(!fork_server_path("/run/%s", "a-user-with-a-very-long-name-in-it", path,
				 sizeof(path)));
}

TEST(place, port_zero_is_no_place)
{
	struct qrexec_place p = {.domain = 1, .port = 0}, d;
	struct wire in;

	reset();
	qrexec_place_encode(&out, MSG_CONNECTION_TERMINATED, &p);
	in = body();
	EXPECT_EQ(qrexec_place_decode(&in, &d), -ERANGE);
	in = wire_of(bytes, 7);
	EXPECT_EQ(qrexec_place_decode(&in, &d), -EPROTO);
	in = wire_of(bytes, 9);
	EXPECT_EQ(qrexec_place_decode(&in, &d), -EPROTO);
}

TEST(connect, ident_must_end)
{
	struct qrexec_connect c = {.place = {5, 520}, .ident = "SOCKET7"}, d;
	char ident[QREXEC_IDENT_SIZE];
	struct wire in;

	reset();
	qrexec_connect_encode(&out, &c);
	EXPECT_EQ(out.size, 48);
	in = body();
	EXPECT_EQ(qrexec_connect_decode(&in, &d), 0);
	EXPECT_STR(d.ident, "SOCKET7");
	memset(bytes + 16, 'x', 32);
	in = body();
	EXPECT_EQ(qrexec_connect_decode(&in, &d), -EPROTO);
	reset();
	qrexec_refused_encode(&out, "SOCKET8");
	in = body();
	EXPECT_EQ(qrexec_ident_decode(&in, ident), 0);
	EXPECT_STR(ident, "SOCKET8");
	in = wire_of(bytes, 31);
	EXPECT_EQ(qrexec_ident_decode(&in, ident), -EPROTO);
}

TEST(trigger, each_version_survives_a_round_trip)
{
	static const enum qrexec_type types[] = {MSG_TRIGGER_V2, MSG_TRIGGER_V3, MSG_TRIGGER_V4};
	struct qrexec_trigger t = {.source = "relay",
				   .target = "@dispvm:x",
				   .ident = "SOCKET1",
				   .service = "a.B+c",
				   .service_size = 6},
			      d;
	struct wire in;
	size_t i, n;

	for (i = 0; i < 3; i++) {
		reset();
		qrexec_trigger_encode(&out, types[i], &t);
		in = body();
		EXPECT_EQ(qrexec_trigger_decode(&in, types[i], &d), 0);
		EXPECT_STR(d.target, "@dispvm:x");
		EXPECT_STR(d.ident, "SOCKET1");
		EXPECT_STR(d.service, "a.B+c");
		EXPECT_STR(d.source, types[i] == MSG_TRIGGER_V4 ? "relay" : "");
		EXPECT(d.are_names_valid);
		for (n = 0; n < out.size - QREXEC_HEADER_SIZE; n++) { /* every truncation */
			in = wire_of(bytes + QREXEC_HEADER_SIZE, n);
			EXPECT(qrexec_trigger_decode(&in, types[i], &d) < 0);
		}
	}
}

TEST(trigger, names_with_impossible_characters_are_marked)
{
	static const char *const bad[] = {"a b",     "a/b",  "a\nb", "+x",
					  "a.B+x y", "\xff", "a:b",  "@x"};
	static const char *const bad_targets[] = {"a b", "a/b", "a+b", "\x01"};
	struct qrexec_trigger t = {.target = "vault", .ident = "SOCKET1"}, d;
	struct wire in;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		reset();
		t.service = bad[i];
		t.service_size = (uint32_t)strlen(bad[i]) + 1;
		qrexec_trigger_encode(&out, MSG_TRIGGER_V3, &t);
		in = body();
		EXPECT_EQ(qrexec_trigger_decode(&in, MSG_TRIGGER_V3, &d), 0);
		EXPECT(!d.are_names_valid);
	}
	t.service = "a.B";
	t.service_size = 4;
	for (i = 0; i < sizeof(bad_targets) / sizeof(bad_targets[0]); i++) {
		reset();
		strcpy(t.target, bad_targets[i]);
		qrexec_trigger_encode(&out, MSG_TRIGGER_V3, &t);
		in = body();
		EXPECT_EQ(qrexec_trigger_decode(&in, MSG_TRIGGER_V3, &d), 0);
		EXPECT(!d.are_names_valid);
	}
}

TEST(command, grammar)
{
	struct command c;
	size_t i;
	static const char *const bad[] = {"",
					  "ls",
					  ":ls",
					  "us er:ls",
					  "-u:ls",
					  "u:QUBESRPC ",
					  "u:QUBESRPC a.B",
					  "u:QUBESRPC a/B dom0",
					  "u:QUBESRPC ../x dom0",
					  "u:QUBESRPC .x dom0",
					  "u:QUBESRPC +x dom0",
					  "u:QUBESRPC a.B dom0 nothing x",
					  "u:QUBESRPC a.B dom0 name x y",
					  "u:QUBESRPC a.B do/m0",
					  "u:QUBESRPC a.B dom0 name x/y"};

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!command_parse(bad[i], true, &c)) {
			TEST_FAIL("accepted: \"%s\"", bad[i]);
		}
	}
	EXPECT_EQ(command_parse("joe:nogui:echo a:b", true, &c), 0);
	EXPECT_STR(c.user, "joe");
	EXPECT(c.is_nogui && !c.is_service);
	EXPECT_STR(c.text, "echo a:b");
	command_fini(&c);
	EXPECT_EQ(command_parse("joe:QUBESRPC a.B+c+d work keyword adminvm", true, &c), 0);
	EXPECT(c.is_service);
	EXPECT_STR(c.service, "a.B+c+d");
	EXPECT_STR(c.name, "a.B");
	EXPECT_STR(c.argument, "c+d");
	EXPECT_STR(c.source, "work");
	EXPECT_STR(c.target_type, "keyword");
	EXPECT_STR(c.target, "adminvm");
	command_fini(&c);
	EXPECT_EQ(command_parse("QUBESRPC a.B+ work", false, &c), 0);
	EXPECT_STR(c.argument, "");
	command_fini(&c);
	EXPECT_EQ(command_parse("QUBESRPC a.B work", false, &c), 0);
	EXPECT(!c.argument);
	command_fini(&c);
}

TEST(service_config, settings)
{
	struct service_config c;
	int line;

	EXPECT_EQ(service_config_parse("", &c, &line), 0);
	EXPECT(!c.is_waiting_for_session && !*c.force_user);
	EXPECT_EQ(service_config_parse("# x\n\nwait-for-session=1\nforce-user = 'joe' # y\n"
				       "skip-service-descriptor=true\nexit-on-service-eof=true\n"
				       "exit-on-client-eof = true\nfuture-key = 5\n",
				       &c, &line),
		  0);
	EXPECT(c.is_waiting_for_session && c.skip_descriptor && c.exit_on_service_eof &&
	       c.exit_on_client_eof);
	EXPECT_STR(c.force_user, "joe");
	EXPECT_EQ(service_config_parse("a=b\nwait-for-session=maybe\n", &c, &line), -EINVAL);
	EXPECT_EQ(line, 2);
	EXPECT_EQ(service_config_parse("nonsense", &c, &line), -EINVAL);
	EXPECT_EQ(service_config_parse("force-user = '-r'", &c, &line), -EINVAL);
	EXPECT_EQ(service_config_parse("force-user = ''", &c, &line), -EINVAL);
}

TEST(ports, between_guests_each_side_has_its_half)
{
	static struct ports a = {.remote = 5}, b = {.remote = 7};
	struct qrexec_place place;
	unsigned int port, i;
	void *owner;
	int x;

	for (i = 0; i < 128; i++) {
		port = ports_take(&a, 7, &x);
		EXPECT(port && (port - 513) % 2 == 1);
		port = ports_take(&b, 5, NULL);
		EXPECT(port && (port - 513) % 2 == 0);
	}
	EXPECT_EQ(ports_take(&a, 7, NULL), 0);
	for (i = 0; i < 128; i++) {
		EXPECT(ports_take(&a, 0, NULL));
	}
	EXPECT_EQ(ports_take(&a, 0, NULL), 0);
	place = (struct qrexec_place){.domain = 7, .port = 514};
	EXPECT(ports_release(&a, &place, &owner));
	EXPECT(owner == &x);
	EXPECT(!ports_release(&a, &place, &owner)); /* twice */
	place.domain = 0;
	EXPECT(!ports_release(&a, &place, &owner));
	place = (struct qrexec_place){.domain = 0, .port = 516};
	EXPECT(!ports_release(&a, &place, &owner)); /* another domain's */
	place = (struct qrexec_place){.domain = 7, .port = 2};
	EXPECT(!ports_release(&a, &place, &owner));
	ports_forget_owner(&a, &x);
	place = (struct qrexec_place){.domain = 7, .port = 516};
	EXPECT(ports_release(&a, &place, &owner));
	EXPECT(!owner);
	ports_clear(&a);
	EXPECT(ports_take(&a, 7, NULL));
}

static int parse_query(const char *text)
{
	struct query q;

	return query_parse(text, strlen(text), &q);
}

static int parse_answer(const char *text)
{
	struct answer a;

	return answer_parse(text, strlen(text), &a);
}

TEST(query, whole_questions_only)
{
	EXPECT_EQ(parse_query("source=a\nintended_target=b\nservice_and_arg=c.D+e\n\n"), 0);
	EXPECT_EQ(parse_query("source=a\nintended_target=\nservice_and_arg=c.D\njust_evaluate=yes\n"
			      "assume_yes_for_ask=no\nrequested_source=b\n\n"),
		  0);
	EXPECT(parse_query("source=a\nintended_target=b\nservice_and_arg=c.D+e\n"));
	EXPECT(parse_query("source=a\nintended_target=b\n\n"));
	EXPECT(parse_query("source=\nintended_target=b\nservice_and_arg=c\n\n"));
	EXPECT(parse_query("source=a\nsource=a\nintended_target=b\nservice_and_arg=c\n\n"));
	EXPECT(parse_query(
		"source=a\nintended_target=b\nintended_target=b\nservice_and_arg=c\n\n"));
	EXPECT(parse_query("source=a\nintended_target=b\nservice_and_arg=+c\n\n"));
	EXPECT(parse_query("source=a\nintended_target=b\nservice_and_arg=c d\n\n"));
	EXPECT(parse_query("source=a b\nintended_target=b\nservice_and_arg=c\n\n"));
	EXPECT(parse_query("source=a\nintended_target=b\nservice_and_arg=c\ncolour=red\n\n"));
	EXPECT(parse_query(
		"source=a\nintended_target=b\nservice_and_arg=c\njust_evaluate=maybe\n\n"));
	EXPECT(parse_query("source=a\nintended_target=b\nservice_and_arg=c\nnonsense\n\n"));
	EXPECT(parse_query("\n\n"));
	EXPECT(parse_query(""));
}

TEST(answer, nothing_but_a_whole_allow_allows)
{
	char text[400];
	struct answer a = {.is_allowed = true,
			   .user = "DEFAULT",
			   .target = "vault",
			   .requested_target = "@default"},
		      b;
	int size = answer_format(&a, text, sizeof(text));

	EXPECT(size > 0);
	EXPECT_EQ(answer_parse(text, (size_t)size, &b), 0);
	EXPECT(b.is_allowed && !b.is_autostart);
	EXPECT_STR(b.target, "vault");
	EXPECT_EQ(parse_answer("result=deny\n"), 0);
	EXPECT(parse_answer(""));
	EXPECT(parse_answer("result=allow\n"));
	EXPECT(parse_answer("result=allow"));
	EXPECT(parse_answer("target=vault\n"));
	EXPECT(parse_answer("result=allowed\ntarget=vault\n"));
	EXPECT(parse_answer("result=deny\nresult=allow\ntarget=vault\n"));
	EXPECT(parse_answer("result=allow\ntarget=va ult\n"));
	EXPECT(parse_answer("result=allow\ntarget=vault\nmore=x\n"));
	EXPECT_EQ(answer_format(&a, text, 10), -1);
}

TEST_MAIN()
