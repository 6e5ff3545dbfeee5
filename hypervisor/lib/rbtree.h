/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Red-black trees with the node inside the object. Insertion walks down with the
 * caller's compare; the tree itself has no lock.
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"

struct rb_node {
	struct rb_node *left, *right;
	unsigned long parent_and_colour;
};
struct rb_tree {
	struct rb_node *root;
	struct rb_node *first; /* leftmost, kept up to date: O(1) */
};

/* is_before(a, b): a comes strictly before b; equals go behind those already there. */
void rb_insert(struct rb_tree *tree, struct rb_node *node,
	       bool (*is_before)(const struct rb_node *a, const struct rb_node *b));
void rb_remove(struct rb_tree *tree, struct rb_node *node);
struct rb_node *rb_next(const struct rb_node *node);
static inline struct rb_node *rb_first(const struct rb_tree *tree)
{
	return tree->first;
}
