/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/registry.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/test.h"

struct world {
	char *directory;
	struct registry *registry;
};

static void put(struct world *w, const char *name, const char *text)
{
	g_autofree char *path = g_strdup_printf("%s/%s" CONFIG_SUFFIX, w->directory, name);

	EXPECT(g_file_set_contents(path, text, -1, NULL));
}

static void world_open(struct world *w)
{
	w->directory = g_dir_make_tmp("mullion-registry-XXXXXX", NULL);
	put(w, "debian", "[domain]\nkind=template\n");
	put(w, "net", "[domain]\nkind=service\ntemplate=debian\n");
	put(w, "firewall", "[domain]\nkind=service\ntemplate=debian\nnetwork=net\n");
	put(w, "work", "[domain]\nkind=app\ntemplate=debian\nnetwork=firewall\n");
	w->registry = registry_open(w->directory, NULL);
	EXPECT(w->registry != NULL);
}

static void world_close(struct world *w)
{
	g_autoptr(GDir) dir = g_dir_open(w->directory, 0, NULL);
	const char *file;

	registry_close(w->registry);
	while ((file = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(w->directory, file, NULL);

		g_unlink(path);
	}
	g_rmdir(w->directory);
	g_free(w->directory);
}

TEST(registry, loads_all_and_sorts_them)
{
	struct world w;
	size_t broken;

	world_open(&w);
	EXPECT_EQ(registry_count(w.registry), 4);
	EXPECT_STR(registry_at(w.registry, 0)->name, "debian");
	EXPECT_STR(registry_at(w.registry, 3)->name, "work");
	registry_broken(w.registry, &broken);
	EXPECT_EQ(broken, 0);
	world_close(&w);
}

TEST(registry, a_broken_description_does_not_stop_the_rest)
{
	struct world w;
	const struct registry_broken *broken;
	size_t count;

	world_open(&w);
	registry_close(w.registry);
	put(&w, "bad", "[domain]\nkind=app\ntemplate=debian\nvcpus=many\n");
	put(&w, "orphan", "[domain]\nkind=app\ntemplate=absent\n");
	put(&w, "behind", "[domain]\nkind=service\ntemplate=debian\nnetwork=gone\n");
	put(&w, "chained", "[domain]\nkind=app\ntemplate=debian\nnetwork=behind\n");
	w.registry = registry_open(w.directory, NULL);
	EXPECT_EQ(registry_count(w.registry), 4);
	broken = registry_broken(w.registry, &count);
	EXPECT_EQ(count, 4);
	EXPECT(broken[0].reason[0] != 0);
	EXPECT(registry_find(w.registry, "chained") == NULL);
	world_close(&w);
}

TEST(registry, what_is_in_use_is_not_removed)
{
	struct world w;
	g_autoptr(GError) error = NULL;

	world_open(&w);
	EXPECT(!registry_remove(w.registry, "debian", &error));
	EXPECT(strstr(error->message, "in use") != NULL);
	EXPECT(!registry_remove(w.registry, "net", NULL));
	EXPECT(!registry_remove(w.registry, "absent", NULL));
	EXPECT(registry_remove(w.registry, "work", NULL));
	EXPECT(registry_remove(w.registry, "firewall", NULL));
	EXPECT(registry_remove(w.registry, "net", NULL));
	EXPECT(registry_remove(w.registry, "debian", NULL));
	EXPECT_EQ(registry_count(w.registry), 0);
	world_close(&w);
}

TEST(registry, a_change_that_breaks_another_is_refused)
{
	struct world w;
	struct config c;

	world_open(&w);
	c = *registry_find(w.registry, "net");
	EXPECT(config_set(&c, "network", "firewall", NULL)); /* a circle */
	EXPECT(!registry_change(w.registry, &c, NULL));
	EXPECT_STR(registry_find(w.registry, "net")->network, "");
	c = *registry_find(w.registry, "net");
	EXPECT(config_set(&c, "kind", "app", NULL)); /* firewall needs a service */
	EXPECT(!registry_change(w.registry, &c, NULL));
	c = *registry_find(w.registry, "work");
	EXPECT(config_set(&c, "label", "blue", NULL));
	EXPECT(registry_change(w.registry, &c, NULL));
	registry_close(w.registry);
	w.registry = registry_open(w.directory, NULL);
	EXPECT_EQ(registry_find(w.registry, "work")->label, LABEL_BLUE);
	world_close(&w);
}

TEST(registry, a_new_domain_never_takes_anothers_place)
{
	struct world w;
	struct config c;

	world_open(&w);
	put(&w, "half", "[dom");
	config_init(&c, "work", CONFIG_TEMPLATE);
	EXPECT(!registry_add(w.registry, &c, NULL));
	config_init(&c, "half", CONFIG_TEMPLATE); /* broken, but somebody's */
	EXPECT(!registry_add(w.registry, &c, NULL));
	config_init(&c, "../x", CONFIG_TEMPLATE);
	EXPECT(!registry_add(w.registry, &c, NULL));
	config_init(&c, "fedora", CONFIG_TEMPLATE);
	EXPECT(registry_add(w.registry, &c, NULL));
	EXPECT(registry_find(w.registry, "fedora") != NULL);
	world_close(&w);
}

TEST(registry, networks_start_outermost_first)
{
	struct world w;
	const char **needs;

	world_open(&w);
	needs = registry_needs(w.registry, "work");
	EXPECT_STR(needs[0], "net");
	EXPECT_STR(needs[1], "firewall");
	EXPECT(needs[2] == NULL);
	g_free(needs);
	needs = registry_needs(w.registry, "debian");
	EXPECT(needs[0] == NULL);
	g_free(needs);
	world_close(&w);
}

TEST(registry, a_missing_folder_is_an_error)
{
	g_autoptr(GError) error = NULL;

	EXPECT(registry_open("/nonexistent/mullion", &error) == NULL);
	EXPECT(error != NULL);
}

TEST_MAIN()
