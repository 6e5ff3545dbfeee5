/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small text formats: commands, settings, policy questions and answers, the domain list. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "qrexec/command.h"
#include "qrexec/domain_list.h"
#include "qrexec/proto.h"
#include "qrexec/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition)
{
	if (!condition) {
		abort();
	}
}

static void try_command(const char *text, bool needs_user)
{
	struct command c;

	if (command_parse(text, needs_user, &c)) {
		return;
	}
	if (c.is_service) {
		/* It becomes a file name. */
		expect(!strchr(c.service, '/') && !strchr(c.name, '/') && c.name[0] != '.' &&
		       *c.name);
	}
	if (needs_user) {
		expect(*c.user && *c.user != '-');
	}
	command_fini(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct service_config config;
	struct domain_list domains;
	struct answer answer;
	struct query query;
	char *text;
	int line;

	if (!size || size > 8192) {
		return 0;
	}
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	switch (data[0] % 5) {
	case 0:
		try_command(text, true);
		try_command(text, false);
		break;
	case 1:
		(void)service_config_parse(text, &config, &line);
		break;
	case 2:
		if (!query_parse(text, size - 1, &query)) {
			expect(*query.source && query.service >= text &&
			       query.service + query.service_length < text + size);
		}
		break;
	case 3:
		if (!answer_parse(text, size - 1, &answer) && answer.is_allowed) {
			expect(*answer.target && qrexec_is_name(answer.target, "@:"));
		}
		break;
	case 4:
		if (!domain_list_parse(text, &domains, &line)) {
			expect(domains.count >= 1 && !strcmp(domains.items[0].name, "dom0"));
			domain_list_fini(&domains);
		}
		break;
	}
	free(text);
	return 0;
}
