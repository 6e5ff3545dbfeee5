/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer types, identifiers and time. Things that must not be mixed up have
 * different types; see addr.h for addresses.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define DEFINE_ID_TYPE(name, raw_type)                                                             \
	typedef struct {                                                                           \
		raw_type v;                                                                        \
	} name##_t;                                                                                \
	static inline name##_t name##_of(raw_type raw)                                             \
	{                                                                                          \
		return (name##_t){raw};                                                            \
	}                                                                                          \
	static inline raw_type name##_raw(name##_t x)                                              \
	{                                                                                          \
		return x.v;                                                                        \
	}                                                                                          \
	static inline bool name##_equal(name##_t a, name##_t b)                                    \
	{                                                                                          \
		return a.v == b.v;                                                                 \
	}

DEFINE_ID_TYPE(domain_id, u16) /* 0 is dom0; <xen/xen.h> has the special ones (DOMID_...) */
DEFINE_ID_TYPE(vcpu_id, u16)
DEFINE_ID_TYPE(port, u32) /* event channel */
DEFINE_ID_TYPE(gref, u32) /* grant reference */

typedef unsigned int cpu_t; /* physical CPU, 0 .. cpu_count()-1; dense, not the APIC id */
#define CPU_MAX 256u

typedef s64 ns_t; /* nanoseconds of the one monotonic clock, clock_now() */
#define NS_NEVER INT64_MAX
#define NS_PER_SEC 1000000000ll
#define NS_PER_MS 1000000ll
#define NS_PER_US 1000ll
