/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "desktop-files/entry.h"

#include <glib.h>
#include <string.h>

#include "base/test.h"

static struct entry_list parse(const char *text)
{
	struct entry_list list;

	entry_parse_list(text, strlen(text), &list);
	return list;
}

TEST(entry, a_program_becomes_an_entry)
{
	struct entry_list list =
		parse("/usr/share/applications/org.gnome.Evince.desktop:Name=Documents\n"
		      "/usr/share/applications/org.gnome.Evince.desktop:Exec=rm -rf /\n"
		      "/usr/share/applications/org.gnome.Evince.desktop:Categories="
		      "GNOME;Office;Graphics;\n"
		      "a.desktop:Comment=Second\na.desktop:Name=A\n"
		      "a.desktop:NoDisplay=true\n");

	EXPECT_EQ(list.count, 2);
	EXPECT_EQ(list.refused_count, 0);
	EXPECT_STR(list.entries[0].id, "a");
	EXPECT(list.entries[0].is_hidden);
	EXPECT_STR(list.entries[1].id, "org.gnome.Evince");
	EXPECT_STR(list.entries[1].name, "Documents");
	EXPECT_EQ(list.entries[1].categories, 1 << CATEGORY_OFFICE | 1 << CATEGORY_GRAPHICS);
	entry_list_clear(&list);
}

TEST(entry, dom0_runs_only_its_own_command)
{
	struct entry_list list =
		parse("a.desktop:Name=x\\n\\nExec=evil\na.desktop:Icon=/etc/passwd\n"
		      "a.desktop:Exec=evil\na.desktop:Comment=50% %f\n");
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *text = NULL;
	g_autofree char *command = NULL;
	g_autofree char *icon = NULL;
	g_autofree char *name = NULL;

	EXPECT_EQ(list.count, 1);
	text = entry_format(&list.entries[0], "work", "mullion-work-a");
	EXPECT(g_key_file_load_from_data(file, text, (gsize)-1, G_KEY_FILE_NONE, NULL));
	command = g_key_file_get_string(file, "Desktop Entry", "Exec", NULL);
	EXPECT_STR(command, "mullion run --app a work");
	icon = g_key_file_get_string(file, "Desktop Entry", "Icon", NULL);
	EXPECT_STR(icon, "mullion-work-a");
	name = g_key_file_get_string(file, "Desktop Entry", "Name", NULL);
	EXPECT_STR(name, "work: x\\n\\nExec=evil"); /* the backslashes are text, not line ends */
	entry_list_clear(&list);
}

TEST(entry, names_that_are_no_ids_are_left_out)
{
	static const char *const bad[] = {
		".desktop:Name=x",
		"a:Name=x",
		"../.desktop:Name=x",
		"/.hidden.desktop:Name=x",
		"-rf.desktop:Name=x",
		"a b.desktop:Name=x",
		"a;b.desktop:Name=x",
		"a\xc3\xa4.desktop:Name=x",
		"Name=x",
		"a.desktop:=x",
		"a.desktop",
		"%s.desktop:Name=x",
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct entry_list list = parse(bad[i]);

		if (list.count != 0 || list.refused_count != 1) {
			TEST_FAIL("accepted: %s", bad[i]);
		}
		entry_list_clear(&list);
	}
}

TEST(entry, a_nameless_program_is_left_out)
{
	struct entry_list list = parse("a.desktop:Comment=x\nb.desktop:Name=\x01\x02\n");

	EXPECT_EQ(list.count, 0);
	EXPECT_EQ(list.refused_count, 2);
	entry_list_clear(&list);
}

static const char *clean(const char *text, size_t capacity)
{
	static char buffer[ENTRY_TEXT_MAX + 1];

	entry_sanitise_text(text, strlen(text), buffer, capacity);
	return buffer;
}

TEST(entry, text_is_made_harmless)
{
	size_t all = ENTRY_TEXT_MAX + 1;

	EXPECT_STR(clean("plain", all), "plain");
	EXPECT_STR(clean("  two\t\twords \r", all), "two words");
	EXPECT_STR(clean("a\x1b[31mb", all), "a [31mb");
	EXPECT_STR(clean("a\xe2\x80\xae"
			 "b",
			 all),
		   "a b"); /* right-to-left override */
	EXPECT_STR(clean("a\xe2\x80\xa8"
			 "b",
			 all),
		   "a b"); /* line separator */
	EXPECT_STR(clean("\xff\xfe"
			 "a\xc3",
			 all),
		   "a"); /* not UTF-8 */
	EXPECT_STR(clean("gr\xc3\xbc\xc3\x9f", all), "gr\xc3\xbc\xc3\x9f");
	EXPECT_STR(clean("\xc3\xbc\xc3\xbc", 4), "\xc3\xbc"); /* never half a character */
	EXPECT_STR(clean("abc", 1), "");
}

TEST(entry, the_number_of_entries_is_limited)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct entry_list list;
	int i;

	for (i = 0; i < ENTRY_LIST_MAX + 10; i++) {
		g_string_append_printf(text, "p%d.desktop:Name=P\n", i);
	}
	list = parse(text->str);
	EXPECT_EQ(list.count, ENTRY_LIST_MAX);
	EXPECT(list.is_truncated);
	entry_list_clear(&list);
}

TEST(entry, an_empty_answer_is_an_empty_list)
{
	struct entry_list list = parse("");

	EXPECT_EQ(list.count, 0);
	EXPECT(!list.is_truncated);
	entry_list_clear(&list);
}

TEST(entry, an_overlong_answer_is_cut)
{
	g_autofree char *text = g_malloc(ENTRY_INPUT_MAX + 1);
	struct entry_list list;

	memset(text, 'x', ENTRY_INPUT_MAX + 1);
	entry_parse_list(text, ENTRY_INPUT_MAX + 1, &list);
	EXPECT_EQ(list.count, 0);
	EXPECT(list.is_truncated);
	entry_list_clear(&list);
}

TEST(entry, only_names_are_icons)
{
	struct entry_list list = parse("a.desktop:Name=A\na.desktop:Icon=org.pwmt.zathura\n"
				       "b.desktop:Name=B\nb.desktop:Icon=/etc/passwd\n"
				       "c.desktop:Name=C\nc.desktop:Icon=../x\n"
				       "d.desktop:Name=D\nd.desktop:Icon=x y\n");

	EXPECT_EQ(list.count, 4);
	EXPECT_STR(list.entries[0].icon, "org.pwmt.zathura");
	EXPECT_STR(list.entries[1].icon, "");
	EXPECT_STR(list.entries[2].icon, "");
	EXPECT_STR(list.entries[3].icon, "");
	entry_list_clear(&list);
}

TEST(entry, what_the_parser_could_not_have_made_is_not_valid)
{
	static const struct entry good = {.id = "a", .name = "A", .comment = "c", .icon = "i"};
	struct entry e = good;

	EXPECT(entry_is_valid(&e));
	e.icon[0] = 0;
	EXPECT(entry_is_valid(&e));
	strcpy(e.icon, "../i");
	EXPECT(!entry_is_valid(&e));
	e = good;
	strcpy(e.id, "a;b");
	EXPECT(!entry_is_valid(&e));
	e = good;
	memset(e.id, 'a', sizeof(e.id));
	EXPECT(!entry_is_valid(&e));
	e = good;
	memset(e.name, 'a', sizeof(e.name));
	EXPECT(!entry_is_valid(&e));
	e = good;
	e.name[0] = 0;
	EXPECT(!entry_is_valid(&e));
	e = good;
	strcpy(e.comment, "a\nb");
	EXPECT(!entry_is_valid(&e));
	e = good;
	e.categories = 1u << CATEGORY_COUNT;
	EXPECT(!entry_is_valid(&e));
}

TEST_MAIN()
