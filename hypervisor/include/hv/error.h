/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error numbers (the ABI's, <xen/errno.h>), and three strengths of "this must hold":
 *
 *   ASSERT(x)  our own invariant; debug builds only, no side effects
 *   CHECK(x)   continuing would be unsafe; always on, panics the host
 *   input of a guest: neither. Return an error, or domain_crash(d, "why").
 */
#pragma once

#include <xen/errno.h>

/* <xen/errno.h> gives XEN_EPERM ...; the code says -EPERM as everybody does. */
#ifndef EPERM
#define EPERM XEN_EPERM
#define ENOENT XEN_ENOENT
#define ESRCH XEN_ESRCH
#define EINTR XEN_EINTR
#define EIO XEN_EIO
#define ENXIO XEN_ENXIO
#define E2BIG XEN_E2BIG
#define ENOEXEC XEN_ENOEXEC
#define EBADF XEN_EBADF
#define EAGAIN XEN_EAGAIN
#define ENOMEM XEN_ENOMEM
#define EACCES XEN_EACCES
#define EFAULT XEN_EFAULT
#define EBUSY XEN_EBUSY
#define EEXIST XEN_EEXIST
#define EXDEV XEN_EXDEV
#define ENODEV XEN_ENODEV
#define EINVAL XEN_EINVAL
#define ENOSPC XEN_ENOSPC
#define ERANGE XEN_ERANGE
#define EDOM XEN_EDOM
#define ENOSYS XEN_ENOSYS
#define EOPNOTSUPP XEN_EOPNOTSUPP
#define ENODATA XEN_ENODATA
#define ENOBUFS XEN_ENOBUFS
#define EOVERFLOW XEN_EOVERFLOW
#define EILSEQ XEN_EILSEQ
#define ETIMEDOUT XEN_ETIMEDOUT
#endif

#include "hv/compiler.h"

NORETURN COLD void check_failed(const char *what, const char *file, int line);

#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (unlikely(!(x))) {                                                              \
			check_failed(#x, __FILE__, __LINE__);                                      \
		}                                                                                  \
	} while (0)

#ifndef NDEBUG
#define ASSERT(x) CHECK(x)
#else
#define ASSERT(x) ((void)sizeof(!(x)))
#endif
