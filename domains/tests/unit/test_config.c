/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/config.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/test.h"

static const char minimal[] = "[domain]\nkind=app\ntemplate=debian\n";

static bool parse(const char *text, struct config *out, enum config_error expected)
{
	g_autoptr(GError) error = NULL;
	struct config untouched;
	bool is_ok;

	memset(out, 0x5a, sizeof(*out));
	untouched = *out;
	is_ok = config_parse("work", text, strlen(text), out, &error);
	if (!is_ok) {
		EXPECT(error != NULL);
		EXPECT(g_error_matches(error, CONFIG_ERROR, (int)expected));
		EXPECT(strstr(error->message, "work") != NULL);
		EXPECT(memcmp(out, &untouched, sizeof(untouched)) == 0);
	}
	return is_ok;
}

TEST(config, minimal_description_gets_the_defaults)
{
	struct config c;

	EXPECT(parse(minimal, &c, 0));
	EXPECT_STR(c.name, "work");
	EXPECT_STR(c.template_name, "debian");
	EXPECT_EQ(c.label, LABEL_RED);
	EXPECT_EQ(c.vcpu_count, 2);
	EXPECT(!c.may_spawn_disposables);
}

TEST(config, what_is_formatted_parses_to_the_same)
{
	struct config c, again;
	g_autofree char *text = NULL;
	g_autofree char *text_again = NULL;

	config_init(&c, "work", CONFIG_APP);
	EXPECT(config_set(&c, "template", "debian", NULL));
	EXPECT(config_set(&c, "label", "purple", NULL));
	EXPECT(config_set(&c, "disposable.allowed", "true", NULL));
	EXPECT(config_set(&c, "limit", "3", NULL));
	text = config_format(&c);
	EXPECT(parse(text, &again, 0));
	text_again = config_format(&again); /* not memcmp: the struct has padding */
	EXPECT_STR(text_again, text);
}

struct refusal {
	const char *text;
	enum config_error error;
};

TEST(config, each_wrong_description_is_refused)
{
	static const struct refusal refusals[] = {
		{"", CONFIG_ERROR_SYNTAX},
		{"kind=app\n", CONFIG_ERROR_SYNTAX},
		{"[domain]\ntemplate=debian\n", CONFIG_ERROR_SYNTAX},
		{"[domain]\nkind=app\ntemplate=debian\nkernel=x\n", CONFIG_ERROR_KEY},
		{"[domain]\nkind=app\ntemplate=debian\n[other]\na=b\n", CONFIG_ERROR_KEY},
		{"[domain]\nkind=router\n", CONFIG_ERROR_VALUE},
		{"[domain]\nkind=app\ntemplate=De\n", CONFIG_ERROR_VALUE},
		{"[domain]\nkind=app\ntemplate=../x\n", CONFIG_ERROR_VALUE},
		{"[domain]\nkind=app\ntemplate=d\nlabel=pink\n", CONFIG_ERROR_VALUE},
		{"[domain]\nkind=app\ntemplate=d\nvcpus=0\n", CONFIG_ERROR_VALUE},
		{"[domain]\nkind=app\ntemplate=d\nvcpus=33\n", CONFIG_ERROR_VALUE},
		{"[domain]\nkind=app\ntemplate=d\nvcpus=-1\n", CONFIG_ERROR_VALUE},
		{"[domain]\nkind=app\ntemplate=d\nvcpus=2x\n", CONFIG_ERROR_VALUE},
		{"[domain]\nkind=app\ntemplate=d\nmemory_mib=63\n", CONFIG_ERROR_VALUE},
		{"[domain]\nkind=app\ntemplate=d\nmemory_mib=99999999999999999999\n",
		 CONFIG_ERROR_VALUE},
		{"[domain]\nkind=app\ntemplate=d\nautostart=yes\n", CONFIG_ERROR_VALUE},
		{"[domain]\nkind=app\ntemplate=d\n[disposable]\nlimit=0\n", CONFIG_ERROR_VALUE},
		{"[domain]\nkind=app\n", CONFIG_ERROR_CONFLICT},
		{"[domain]\nkind=app\ntemplate=work\n", CONFIG_ERROR_CONFLICT},
		{"[domain]\nkind=template\ntemplate=debian\n", CONFIG_ERROR_CONFLICT},
		{"[domain]\nkind=template\nnetwork=net\n", CONFIG_ERROR_CONFLICT},
		{"[domain]\nkind=app\ntemplate=d\nnetwork=work\n", CONFIG_ERROR_CONFLICT},
		{"[domain]\nkind=app\ntemplate=d\nmemory_max_mib=399\n", CONFIG_ERROR_CONFLICT},
	};
	struct config c;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(refusals); i++) {
		if (parse(refusals[i].text, &c, refusals[i].error)) {
			TEST_FAIL("accepted: %s", refusals[i].text);
		}
	}
}

TEST(config, text_with_a_zero_byte_or_too_long_is_refused)
{
	g_autofree char *large = g_malloc(CONFIG_FILE_MAX + 1);
	struct config c;

	memset(large, '\n', CONFIG_FILE_MAX + 1);
	memcpy(large, minimal, sizeof(minimal) - 1);
	EXPECT(config_parse("work", large, CONFIG_FILE_MAX, &c, NULL));
	EXPECT(!config_parse("work", large, CONFIG_FILE_MAX + 1, &c, NULL));
	large[100] = 0;
	EXPECT(!config_parse("work", large, 200, &c, NULL));
}

TEST(config, names_that_mean_something_else_are_refused)
{
	static const char *const bad[] = {"",	      "dom0",
					  "none",     "disp1",
					  "disp99",   "1work",
					  "Work",     "a b",
					  "a/b",      "..",
					  "-a",	      "a\n",
					  "\xc3\xa4", "abcdefghijabcdefghijabcdefghijab"};
	static const char *const good[] = {"a",	     "work",  "disp",
					   "disp-1", "net_2", "abcdefghijabcdefghijabcdefghija"};
	struct config c;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		EXPECT(!config_is_name(bad[i]));
		EXPECT(!config_parse(bad[i], minimal, strlen(minimal), &c, NULL));
	}
	for (i = 0; i < G_N_ELEMENTS(good); i++) {
		EXPECT(config_is_name(good[i]));
	}
}

TEST(config, a_refused_setting_changes_nothing)
{
	struct config c, before;

	config_init(&c, "work", CONFIG_APP);
	EXPECT(config_set(&c, "template", "debian", NULL));
	before = c;
	EXPECT(!config_set(&c, "memory_mib", "4000", NULL)); /* above memory_max_mib */
	EXPECT(!config_set(&c, "template", "none", NULL));
	EXPECT(!config_set(&c, "colour", "red", NULL));
	EXPECT(!config_set(&c, "disposable.vcpus", "2", NULL));
	EXPECT(memcmp(&c, &before, sizeof(c)) == 0);
}

struct world {
	struct config all[4];
	size_t count;
};

static const struct config *find(const char *name, void *context)
{
	struct world *world = context;
	size_t i;

	for (i = 0; i < world->count; i++) {
		if (strcmp(world->all[i].name, name) == 0) {
			return &world->all[i];
		}
	}
	return NULL;
}

TEST(config, references_are_checked)
{
	struct world world = {.count = 4};
	struct config *work = &world.all[0];

	config_init(work, "work", CONFIG_APP);
	config_init(&world.all[1], "debian", CONFIG_TEMPLATE);
	config_init(&world.all[2], "firewall", CONFIG_SERVICE);
	config_init(&world.all[3], "net", CONFIG_SERVICE);
	strcpy(work->template_name, "debian");
	strcpy(work->network, "firewall");
	strcpy(world.all[2].network, "net");
	EXPECT(config_check_references(work, find, &world, NULL));

	strcpy(world.all[3].network, "firewall"); /* a loop that does not pass work */
	EXPECT(!config_check_references(work, find, &world, NULL));
	strcpy(world.all[3].network, "absent");
	EXPECT(!config_check_references(work, find, &world, NULL));
	strcpy(world.all[3].network, "debian"); /* not a service */
	EXPECT(!config_check_references(work, find, &world, NULL));
	world.all[3].network[0] = 0;
	strcpy(work->template_name, "net"); /* not a template */
	EXPECT(!config_check_references(work, find, &world, NULL));
	strcpy(work->template_name, "absent");
	EXPECT(!config_check_references(work, find, &world, NULL));
}

TEST(config, saved_description_loads_again)
{
	g_autofree char *directory = g_dir_make_tmp("mullion-config-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "work.domain", NULL);
	g_autofree char *text = NULL;
	g_autofree char *text_again = NULL;
	g_autoptr(GError) error = NULL;
	struct config c, again;

	config_init(&c, "work", CONFIG_APP);
	EXPECT(config_set(&c, "template", "debian", NULL));
	EXPECT(config_save(directory, &c, NULL));
	EXPECT(config_load(directory, "work", &again, NULL));
	text = config_format(&c);
	text_again = config_format(&again);
	EXPECT_STR(text_again, text);
	EXPECT(!config_load(directory, "absent", &again, NULL));
	EXPECT(!config_load(directory, "../work", &again, &error));
	EXPECT(g_error_matches(error, CONFIG_ERROR, CONFIG_ERROR_NAME));
	EXPECT(g_file_set_contents(path, "[domain", -1, NULL));
	EXPECT(!config_load(directory, "work", &again, NULL));
	g_remove(path);
	g_rmdir(directory);
}

TEST_MAIN()
