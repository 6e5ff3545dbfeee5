/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every compiler attribute that the hypervisor uses, with what it is for.
 */
#pragma once

#define MUST_CHECK   __attribute__((warn_unused_result)) /* the result says whether it happened */
#define NORETURN     __attribute__((noreturn))
#define PACKED	     __attribute__((packed)) /* layouts given by hardware or an ABI only */
#define ALIGNED(n)   __attribute__((aligned(n)))
#define SECTION(s)   __attribute__((section(s)))
#define USED	     __attribute__((used))
#define UNUSED	     __attribute__((unused))
#define NOINLINE     __attribute__((noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define COLD	     __attribute__((cold))
#define FORMAT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Code and data that nobody needs after start. The code's pages are given to the allocator then. */
#define INIT_TEXT SECTION(".init.text") COLD
#define INIT_DATA SECTION(".bss.init") /* all zero at first: not in the image */
/*
 * Data written during start only; its pages become read-only when dom0 starts. The first
 * kind is all zero at first and so takes no room in the image, the second has initial values.
 */
#define RO_AFTER_INIT	   SECTION(".bss.ro_after_init")
#define RO_AFTER_INIT_DATA SECTION(".data.ro_after_init")

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define barrier() __asm__ __volatile__("" ::: "memory")

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-__builtin_offsetof(type, member)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, to) (((x) + (to)-1) / (to) * (to))
#define BIT(n) (1ull << (n))

/* Atomics: the order is always spelled out; see C11 7.17.3. */
#define load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

#if defined(__clang__)
#define TS_ATTR(x) __attribute__((x))
#else
#define TS_ATTR(x)
#endif
/* clang's -Wthread-safety. With clang 14 these work on functions, not on members. */
#define CAPABILITY(name) TS_ATTR(capability(name))
#define ACQUIRES(...) TS_ATTR(acquire_capability(__VA_ARGS__))
#define RELEASES(...) TS_ATTR(release_capability(__VA_ARGS__))
#define REQUIRES(...) TS_ATTR(requires_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY TS_ATTR(no_thread_safety_analysis)

/*
 * index when index < count, else 0, without a branch that the CPU could guess:
 * for every array index that came from a guest, after its bounds check
 * (speculative bounds bypass, threat-model.md).
 */
static ALWAYS_INLINE unsigned long index_clamp(unsigned long index, unsigned long count)
{
	unsigned long mask = 0ul - (unsigned long)(index < count);

	__asm__("" : "+r"(mask)); /* keeps the compiler from turning it into a branch */
	return index & mask;
}
