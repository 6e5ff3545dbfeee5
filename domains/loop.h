/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Image files as block devices: loop devices that free themselves when nobody has them open.
 *
 * Whoever attaches one holds it open until its user (the block back-end) has; after that the
 * kernel frees it with the machine, whatever becomes of this process. Any thread.
 */
#pragma once

#include <stdbool.h>

#define LOOP_PATH_SIZE 32

struct loop {
	int fd; /* -1: none */
	char path[LOOP_PATH_SIZE];
};

/* 0, or -errno: of opening the image, or -ENODEV without loop devices. */
int loop_attach(struct loop *loop, const char *image, bool is_writable);
/* Gives up our hold. A loop that was never attached has fd -1. */
void loop_release(struct loop *loop);
