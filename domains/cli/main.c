/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mullion: see and change the domains of this machine. See mullion(1). */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domains/cli/call.h"
#include "domains/cli/client.h"
#include "domains/cli/doctor.h"
#include "domains/cli/table.h"

#define EXIT_USAGE 2

struct invocation {
	struct client client;
	bool is_json, is_disposable;
	const char *from; /* NULL: the only one that allows disposables */
	int argc;	  /* what follows the command's own words */
	char **argv;
	const char *app; /* run: of the menu, instead of a command */
};

/* --- answers --- */

static int fail(const GError *error)
{
	g_printerr("mullion: %s\n", error->message);
	return EXIT_FAILURE;
}

/* Calls a method that answers nothing. */
static int call(struct invocation *in, const char *method, GVariant *arguments, const char *doing,
		const char *what)
{
	g_autofree char *waiting_for = g_strdup_printf("%s %s", doing, what);
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		client_call(&in->client, method, arguments, waiting_for, &error);

	return reply ? EXIT_SUCCESS : fail(error);
}

static int list(struct invocation *in, bool (*is_wanted)(GVariantDict *domain))
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		client_call(&in->client, "List", NULL, "asking for the domains", &error);
	g_autoptr(GVariant) domains = NULL;
	g_autoptr(GVariantIter) broken = NULL;
	g_autofree char *text = NULL;
	const char *name, *reason;

	if (!reply) {
		return fail(error);
	}
	g_variant_get(reply, "(@aa{sv}a(ss))", &domains, &broken);
	text = in->is_json ? table_format_json(domains, is_wanted)
			   : table_format(domains, is_wanted);
	fputs(text, stdout);
	while (g_variant_iter_next(broken, "(&s&s)", &name, &reason)) {
		g_printerr("mullion: %s cannot be used: %s\n", name, reason);
	}
	return EXIT_SUCCESS;
}

static bool is_any(GVariantDict *domain)
{
	return true;
}

static bool is_template(GVariantDict *domain)
{
	const char *kind;

	return g_variant_dict_lookup(domain, "kind", "&s", &kind) && strcmp(kind, "template") == 0;
}

static bool is_disposable(GVariantDict *domain)
{
	gboolean value;

	return g_variant_dict_lookup(domain, "disposable", "b", &value) && value;
}

/* KEY=VALUE words to a(ss); NULL (and said so) when one has another form. */
static GVariant *parse_settings(int count, char **words)
{
	GVariantBuilder settings;
	int i;

	g_variant_builder_init(&settings, G_VARIANT_TYPE("a(ss)"));
	for (i = 0; i < count; i++) {
		char *equals = strchr(words[i], '=');

		if (!equals || equals == words[i]) {
			g_printerr("mullion: '%s': KEY=VALUE is wanted, such as label=green\n",
				   words[i]);
			g_variant_builder_clear(&settings);
			return NULL;
		}
		*equals = 0;
		g_variant_builder_add(&settings, "(ss)", words[i], equals + 1);
	}
	return g_variant_builder_end(&settings);
}

/* --- commands --- */

static int domain_list(struct invocation *in)
{
	return list(in, is_any);
}

static int template_list(struct invocation *in)
{
	return list(in, is_template);
}

static int disposable_list(struct invocation *in)
{
	return list(in, is_disposable);
}

static int domain_show(struct invocation *in)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		client_call(&in->client, "Show", g_variant_new("(s)", in->argv[0]),
			    "asking for the description", &error);
	const char *text;

	if (!reply) {
		return fail(error);
	}
	g_variant_get(reply, "(&s)", &text);
	fputs(text, stdout);
	return EXIT_SUCCESS;
}

static int domain_create(struct invocation *in)
{
	GVariant *settings = parse_settings(in->argc - 1, in->argv + 1);

	return settings ? call(in, "Create", g_variant_new("(s@a(ss)s)", in->argv[0], settings, ""),
			       "creating", in->argv[0])
			: EXIT_USAGE;
}

static int template_create(struct invocation *in)
{
	g_autofree char *image = g_canonicalize_filename(in->argv[1], NULL);
	GVariant *settings = parse_settings(in->argc - 2, in->argv + 2);
	GVariantBuilder all;
	GVariantIter each;
	GVariant *item;

	if (!settings) {
		return EXIT_USAGE;
	}
	g_variant_builder_init(&all, G_VARIANT_TYPE("a(ss)"));
	g_variant_builder_add(&all, "(ss)", "kind", "template");
	g_variant_iter_init(&each, settings);
	while ((item = g_variant_iter_next_value(&each))) {
		g_variant_builder_add_value(&all, item);
		g_variant_unref(item);
	}
	g_variant_unref(g_variant_ref_sink(settings));
	return call(in, "Create", g_variant_new("(sa(ss)s)", in->argv[0], &all, image), "creating",
		    in->argv[0]);
}

/* From an image, or by its own package manager. A failed update leaves the template as it was. */
static int template_update(struct invocation *in)
{
	g_autofree char *image = NULL;

	if (in->argc == 1) {
		return call_update(&in->client, in->argv[0]);
	}
	image = g_canonicalize_filename(in->argv[1], NULL);
	return call(in, "Update", g_variant_new("(ss)", in->argv[0], image), "updating",
		    in->argv[0]);
}

static int domain_set(struct invocation *in)
{
	GVariant *settings = parse_settings(in->argc - 1, in->argv + 1);

	return settings ? call(in, "Set", g_variant_new("(s@a(ss))", in->argv[0], settings),
			       "changing", in->argv[0])
			: EXIT_USAGE;
}

static int domain_clone(struct invocation *in)
{
	return call(in, "Clone", g_variant_new("(ss)", in->argv[0], in->argv[1]), "cloning",
		    in->argv[0]);
}

static int domain_remove(struct invocation *in)
{
	return call(in, "Remove", g_variant_new("(s)", in->argv[0]), "removing", in->argv[0]);
}

static int domain_start(struct invocation *in)
{
	return call(in, "Start", g_variant_new("(s)", in->argv[0]), "starting", in->argv[0]);
}

static int domain_stop(struct invocation *in)
{
	return call(in, "Stop", g_variant_new("(sb)", in->argv[0], FALSE), "stopping", in->argv[0]);
}

static int domain_kill(struct invocation *in)
{
	return call(in, "Stop", g_variant_new("(sb)", in->argv[0], TRUE), "killing", in->argv[0]);
}

static int volume_list(struct invocation *in)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		client_call(&in->client, "Volumes", NULL, "asking for the disks", &error);
	g_autoptr(GVariant) volumes = NULL;
	g_autofree char *text = NULL;

	if (!reply) {
		return fail(error);
	}
	volumes = g_variant_get_child_value(reply, 0);
	text = in->is_json ? table_format_volumes_json(volumes) : table_format_volumes(volumes);
	fputs(text, stdout);
	return EXIT_SUCCESS;
}

static int disposable_start(struct invocation *in)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		client_call(&in->client, "StartDisposable", g_variant_new("(s)", in->argv[0]),
			    "starting a disposable", &error);
	const char *name;

	if (!reply) {
		return fail(error);
	}
	g_variant_get(reply, "(&s)", &name);
	printf("%s\n", name);
	return EXIT_SUCCESS;
}

static int run_program(struct invocation *in)
{
	bool has_target = !in->is_disposable;

	if (in->app && in->argc == (has_target ? 1 : 0)) {
		return call_app(&in->client, has_target ? in->argv[0] : in->from, in->is_disposable,
				in->app);
	}
	if (in->app || in->argc < (has_target ? 2 : 1)) {
		g_printerr("usage: mullion run DOMAIN COMMAND..., or mullion run --disposable "
			   "[--from=DOMAIN] COMMAND..., or with --app PROGRAM instead of "
			   "COMMAND\n");
		return EXIT_USAGE;
	}
	return call_run(&in->client, has_target ? in->argv[0] : in->from, in->is_disposable,
			in->argv + (has_target ? 1 : 0));
}

static int open_document(struct invocation *in)
{
	bool has_target = !in->is_disposable;

	if (in->argc != (has_target ? 2 : 1)) {
		g_printerr("usage: mullion open DOMAIN FILE, or mullion open --disposable "
			   "[--from=DOMAIN] FILE\n");
		return EXIT_USAGE;
	}
	return call_open(&in->client, has_target ? in->argv[0] : in->from, in->is_disposable,
			 in->argv[has_target ? 1 : 0]);
}

static const struct command {
	const char *noun, *verb, *arguments, *summary;
	int min_arguments, max_arguments; /* -1: any number */
	int (*run)(struct invocation *in);
} commands[] = {
	{"domain", "list", "", "all domains with state, colour, template, network, memory", 0, 0,
	 domain_list},
	{"domain", "show", "NAME", "its description", 1, 1, domain_show},
	{"domain", "create", "NAME KEY=VALUE...", "a new domain: template=debian label=green ...",
	 1, -1, domain_create},
	{"domain", "set", "NAME KEY=VALUE...", "change its description", 2, -1, domain_set},
	{"domain", "clone", "NAME NEW", "a copy of it, with its files", 2, 2, domain_clone},
	{"domain", "remove", "NAME", "it and all its files, for good", 1, 1, domain_remove},
	{"domain", "start", "NAME", "and what it needs", 1, 1, domain_start},
	{"domain", "stop", "NAME", "asks it to shut down", 1, 1, domain_stop},
	{"domain", "kill", "NAME", "ends it at once", 1, 1, domain_kill},
	{"template", "list", "", "all templates", 0, 0, template_list},
	{"template", "create", "NAME IMAGE KEY=VALUE...", "from the image of a system", 2, -1,
	 template_create},
	{"template", "update", "NAME [IMAGE]", "from an image, or by its package manager", 1, 2,
	 template_update},
	{"run", NULL, "DOMAIN COMMAND...", "a program in it, started if needed; see --disposable",
	 0, -1, run_program},
	{"open", NULL, "DOMAIN FILE", "a copy of a file in it; see --disposable", 1, 2,
	 open_document},
	{"volume", "list", "", "the disks of all domains: size, and what it takes", 0, 0,
	 volume_list},
	{"disposable", "list", "", "all disposables", 0, 0, disposable_list},
	{"disposable", "start", "NAME", "a new one made from a domain; prints its name", 1, 1,
	 disposable_start},
};

static char *describe_commands(void)
{
	GString *text = g_string_new("Commands:\n");
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autofree char *usage = g_strconcat(commands[i].noun, commands[i].verb ? " " : "",
						     commands[i].verb ? commands[i].verb : "", " ",
						     commands[i].arguments, NULL);

		g_string_append_printf(text, "  %-40s %s\n", usage, commands[i].summary);
	}
	g_string_append(text,
			"  doctor                                   what is wrong with this "
			"machine, and what to do\n"
			"  list                                     the same as domain list\n");
	return g_string_free(text, FALSE);
}

static const struct command *find_command(int argc, char **argv, int *used)
{
	size_t i;

	if (argc > 1 && strcmp(argv[1], "list") == 0) {
		*used = 2;
		return &commands[0];
	}
	for (i = 0; argc > 1 && i < G_N_ELEMENTS(commands); i++) {
		if (!commands[i].verb && strcmp(argv[1], commands[i].noun) == 0) {
			*used = 2;
			return &commands[i];
		}
	}
	*used = 3;
	for (i = 0; argc > 2 && i < G_N_ELEMENTS(commands); i++) {
		if (commands[i].verb && strcmp(argv[1], commands[i].noun) == 0 &&
		    strcmp(argv[2], commands[i].verb) == 0) {
			return &commands[i];
		}
	}
	return NULL;
}

static int run(const struct command *command, struct invocation *in, bool is_session)
{
	g_autoptr(GError) error = NULL;
	int status;

	if (in->argc < command->min_arguments ||
	    (command->max_arguments >= 0 && in->argc > command->max_arguments)) {
		g_printerr("usage: mullion %s %s%s%s\n", command->noun,
			   command->verb ? command->verb : "", command->verb ? " " : "",
			   command->arguments);
		return EXIT_USAGE;
	}
	if (!client_open(&in->client, is_session, &error)) {
		return fail(error);
	}
	status = command->run(in);
	client_close(&in->client);
	return status;
}

static bool is_program_next(int argc, char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-') {
		i++;
	}
	return i < argc && strcmp(argv[i], "run") == 0;
}

/* run --disposable --from=NAME --app ID -- COMMAND: up to the first word that is not one of these.
 */
static void take_options(int *argc, char **argv, gboolean *is_disposable, char **from,
			 const char **app)
{
	int at = 2, i;

	for (; at < *argc; at++) {
		if (strcmp(argv[at], "--disposable") == 0) {
			*is_disposable = TRUE;
		} else if (strcmp(argv[at], "--app") == 0 && at + 1 < *argc) {
			*app = argv[++at];
		} else if (g_str_has_prefix(argv[at], "--from=")) {
			g_free(*from);
			*from = g_strdup(argv[at] + strlen("--from="));
		} else {
			at += strcmp(argv[at], "--") == 0;
			break;
		}
	}
	for (i = at; i < *argc; i++) {
		argv[i - at + 2] = argv[i];
	}
	*argc -= at - 2;
}

int main(int argc, char **argv)
{
	gboolean is_json = FALSE, is_session = FALSE, is_disposable = FALSE;
	g_autofree char *from = NULL;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &is_json, "lists as JSON, for programs", NULL},
		{"session", 0, 0, G_OPTION_ARG_NONE, &is_session,
		 "use the session bus instead of the system's", NULL},
		{"disposable", 0, 0, G_OPTION_ARG_NONE, &is_disposable,
		 "run, open: in a new disposable instead of DOMAIN", NULL},
		{"from", 0, 0, G_OPTION_ARG_STRING, &from,
		 "the domain that the disposable is made from", "DOMAIN"},
		{NULL, 0, 0, 0, NULL, NULL, NULL}};
	g_autoptr(GOptionContext) context = g_option_context_new("COMMAND [ARGUMENT...]");
	g_autofree char *description = describe_commands();
	g_autoptr(GError) error = NULL;
	const struct command *command;
	struct invocation in = {0};
	int used;

	setlocale(LC_ALL, "");
	g_option_context_set_summary(context, "See and change the domains of this machine.");
	g_option_context_set_description(context, description);
	g_option_context_add_main_entries(context, entries, NULL);
	/* The words of a program are not ours: `mullion run work ls -l`. */
	g_option_context_set_strict_posix(context, is_program_next(argc, argv));
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_printerr("mullion: %s; see mullion --help\n", error->message);
		return EXIT_USAGE;
	}
	if (is_program_next(argc, argv)) {
		/* Its own options, which follow the word. */
		take_options(&argc, argv, &is_disposable, &from, &in.app);
	}
	if (argc == 2 && strcmp(argv[1], "doctor") == 0) {
		return doctor_run(is_session, is_json);
	}
	command = find_command(argc, argv, &used);
	if (!command) {
		g_printerr("mullion: which command? See mullion --help\n");
		return EXIT_USAGE;
	}
	in.is_json = is_json;
	in.is_disposable = is_disposable;
	in.from = from;
	in.argc = argc - used;
	in.argv = argv + used;
	return run(command, &in, is_session);
}
