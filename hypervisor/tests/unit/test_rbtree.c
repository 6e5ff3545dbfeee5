// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "base/test.h"
#include "lib/rbtree.h"

#define COUNT 500

struct item {
	struct rb_node node;
	int key;
	bool is_in;
};

static struct item items[COUNT];
static struct rb_tree tree;

static bool is_before(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct item, node)->key < container_of(b, struct item, node)->key;
}

/* Black height, or -1 when a rule is broken: red below red, unequal heights, wrong parent. */
static int check_node(const struct rb_node *n, const struct rb_node *parent)
{
	bool red;
	int left, right;

	if (!n) {
		return 0;
	}
	red = n->parent_and_colour & 1;
	if ((n->parent_and_colour & ~1ul) != (unsigned long)parent) {
		return -1;
	}
	if (red && (!parent || (parent->parent_and_colour & 1))) {
		return -1;
	}
	left = check_node(n->left, n);
	right = check_node(n->right, n);
	if (left < 0 || left != right) {
		return -1;
	}
	return left + !red;
}

static void check(int expected)
{
	struct rb_node *n;
	int last = INT32_MIN, count = 0;

	EXPECT(check_node(tree.root, NULL) >= 0);
	for (n = rb_first(&tree); n; n = rb_next(n)) {
		struct item *i = container_of(n, struct item, node);

		EXPECT(i->key >= last);
		last = i->key;
		count++;
	}
	EXPECT_EQ(count, expected);
}

TEST(rbtree, random_inserts_and_removals_keep_the_rules)
{
	int step, in = 0;

	srand(1);
	tree = (struct rb_tree){0};
	memset(items, 0, sizeof(items));
	for (step = 0; step < 20000; step++) {
		struct item *i = &items[rand() % COUNT];

		if (i->is_in) {
			rb_remove(&tree, &i->node);
			in--;
		} else {
			i->key = rand() % 100;
			rb_insert(&tree, &i->node, is_before);
			in++;
		}
		i->is_in = !i->is_in;
		if (step % 16 == 0) {
			check(in);
		}
	}
}

TEST(rbtree, equals_keep_their_order_of_insertion)
{
	struct rb_node *n;
	int i = 0;

	tree = (struct rb_tree){0};
	for (i = 0; i < 50; i++) {
		items[i] = (struct item){.key = 7};
		rb_insert(&tree, &items[i].node, is_before);
	}
	i = 0;
	for (n = rb_first(&tree); n; n = rb_next(n), i++) {
		EXPECT(n == &items[i].node);
	}
}

TEST(rbtree, removing_the_first_updates_the_cached_first)
{
	int i;

	tree = (struct rb_tree){0};
	for (i = 0; i < 10; i++) {
		items[i] = (struct item){.key = i};
		rb_insert(&tree, &items[i].node, is_before);
	}
	for (i = 0; i < 10; i++) {
		EXPECT(rb_first(&tree) == &items[i].node);
		rb_remove(&tree, &items[i].node);
	}
	EXPECT(!rb_first(&tree) && !tree.root);
}

TEST_MAIN()
