// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/rbtree.h"

/*
 * The textbook algorithm (Cormen et al., "Introduction to Algorithms", chapter 13) without a
 * sentinel node: a missing child is black. The parent's address and the colour share a word;
 * nodes are aligned to 8 bytes, so bit 0 is free.
 */
#define RED 1ul

static struct rb_node *parent_of(const struct rb_node *n)
{
	return (struct rb_node *)(n->parent_and_colour & ~RED);
}

static bool is_red(const struct rb_node *n)
{
	return n && (n->parent_and_colour & RED);
}

static void set_parent(struct rb_node *n, struct rb_node *parent)
{
	n->parent_and_colour = (unsigned long)parent | (n->parent_and_colour & RED);
}

static void set_red(struct rb_node *n)
{
	n->parent_and_colour |= RED;
}

static void set_black(struct rb_node *n)
{
	n->parent_and_colour &= ~RED;
}

static void copy_colour(struct rb_node *to, const struct rb_node *from)
{
	to->parent_and_colour = (to->parent_and_colour & ~RED) | (from->parent_and_colour & RED);
}

/* Puts new into the place that old has below its parent; new may be NULL. */
static void replace_child(struct rb_tree *tree, struct rb_node *old, struct rb_node *new)
{
	struct rb_node *parent = parent_of(old);

	if (!parent) {
		tree->root = new;
	} else if (parent->left == old) {
		parent->left = new;
	} else {
		parent->right = new;
	}
	if (new) {
		set_parent(new, parent);
	}
}

static void rotate_left(struct rb_tree *tree, struct rb_node *n)
{
	struct rb_node *up = n->right;

	n->right = up->left;
	if (n->right) {
		set_parent(n->right, n);
	}
	replace_child(tree, n, up);
	up->left = n;
	set_parent(n, up);
}

static void rotate_right(struct rb_tree *tree, struct rb_node *n)
{
	struct rb_node *up = n->left;

	n->left = up->right;
	if (n->left) {
		set_parent(n->left, n);
	}
	replace_child(tree, n, up);
	up->right = n;
	set_parent(n, up);
}

static void insert_fix(struct rb_tree *tree, struct rb_node *n)
{
	struct rb_node *parent, *grand, *uncle;

	while (is_red(parent = parent_of(n))) {
		grand = parent_of(parent); /* exists, because a red node is not the root */
		uncle = grand->left == parent ? grand->right : grand->left;
		if (is_red(uncle)) {
			set_black(parent);
			set_black(uncle);
			set_red(grand);
			n = grand;
			continue;
		}
		if (grand->left == parent) {
			if (parent->right == n) {
				rotate_left(tree, parent);
				parent = n;
			}
			set_black(parent);
			set_red(grand);
			rotate_right(tree, grand);
		} else {
			if (parent->left == n) {
				rotate_right(tree, parent);
				parent = n;
			}
			set_black(parent);
			set_red(grand);
			rotate_left(tree, grand);
		}
		break;
	}
	set_black(tree->root);
}

void rb_insert(struct rb_tree *tree, struct rb_node *node,
	       bool (*is_before)(const struct rb_node *a, const struct rb_node *b))
{
	struct rb_node **link = &tree->root, *parent = NULL;
	bool is_leftmost = true;

	while (*link) {
		parent = *link;
		if (is_before(node, parent)) {
			link = &parent->left;
		} else {
			link = &parent->right;
			is_leftmost = false;
		}
	}
	node->left = NULL;
	node->right = NULL;
	node->parent_and_colour = (unsigned long)parent | RED;
	*link = node;
	if (is_leftmost) {
		tree->first = node;
	}
	insert_fix(tree, node);
}

/* n (may be NULL), below parent, lacks one black node on its paths. */
static void remove_fix(struct rb_tree *tree, struct rb_node *n, struct rb_node *parent)
{
	struct rb_node *sibling;

	while (parent && !is_red(n)) {
		if (parent->left == n) {
			sibling = parent->right;
			if (is_red(sibling)) {
				set_black(sibling);
				set_red(parent);
				rotate_left(tree, parent);
				sibling = parent->right;
			}
			if (!is_red(sibling->left) && !is_red(sibling->right)) {
				set_red(sibling);
				n = parent;
				parent = parent_of(n);
				continue;
			}
			if (!is_red(sibling->right)) {
				set_black(sibling->left);
				set_red(sibling);
				rotate_right(tree, sibling);
				sibling = parent->right;
			}
			copy_colour(sibling, parent);
			set_black(parent);
			set_black(sibling->right);
			rotate_left(tree, parent);
		} else {
			sibling = parent->left;
			if (is_red(sibling)) {
				set_black(sibling);
				set_red(parent);
				rotate_right(tree, parent);
				sibling = parent->left;
			}
			if (!is_red(sibling->left) && !is_red(sibling->right)) {
				set_red(sibling);
				n = parent;
				parent = parent_of(n);
				continue;
			}
			if (!is_red(sibling->left)) {
				set_black(sibling->right);
				set_red(sibling);
				rotate_left(tree, sibling);
				sibling = parent->left;
			}
			copy_colour(sibling, parent);
			set_black(parent);
			set_black(sibling->left);
			rotate_right(tree, parent);
		}
		return;
	}
	if (n) {
		set_black(n);
	}
}

void rb_remove(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *next, *child, *parent;
	bool was_black;

	if (tree->first == node) {
		tree->first = rb_next(node);
	}
	if (!node->left || !node->right) {
		child = node->left ? node->left : node->right;
		parent = parent_of(node);
		was_black = !is_red(node);
		replace_child(tree, node, child);
	} else {
		next = node->right;
		while (next->left) {
			next = next->left;
		}
		was_black = !is_red(next);
		child = next->right;
		parent = parent_of(next);
		if (parent == node) {
			parent = next;
		} else {
			replace_child(tree, next, child);
			next->right = node->right;
			set_parent(next->right, next);
		}
		replace_child(tree, node, next);
		next->left = node->left;
		set_parent(next->left, next);
		copy_colour(next, node);
	}
	if (was_black) {
		remove_fix(tree, child, parent);
	}
	*node = (struct rb_node){0};
}

struct rb_node *rb_next(const struct rb_node *node)
{
	const struct rb_node *n = node;
	struct rb_node *parent;

	if (n->right) {
		n = n->right;
		while (n->left) {
			n = n->left;
		}
		return (struct rb_node *)n;
	}
	parent = parent_of(n);
	while (parent && parent->right == n) {
		n = parent;
		parent = parent_of(n);
	}
	return parent;
}
