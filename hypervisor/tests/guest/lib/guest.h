/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The library of the bare-metal guest tests: one include, everything that a test of one thing
 * needs. A test is
 *
 *     TEST(null_hypercall_is_refused)
 *     {
 *             EXPECT_EQ(hypercall(63, 0, 0, 0, 0, 0), -ENOSYS);
 *     }
 *
 * All tests of a guest run in the order of the file, on the first vCPU, with interrupts off. A
 * failed expectation is printed and counted and the test goes on. The last line of the console is
 * PASS, FAIL with what failed first, or SKIP with a reason.
 *
 * The same guests run in dom0's place and as a PVH domU of a stock toolstack.
 *
 * Memory: the first 4 GiB are mapped to themselves, writable and executable.
 */
#pragma once

#include "layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/xen.h>

/* The hypervisor's error numbers (<xen/errno.h> spells them XEN_E...). */
enum guest_errno {
#define XEN_ERRNO(name, value) name = (value),
#include <xen/errno.h>
};

#define PAGE_SIZE     4096
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define DOMID_ME      DOMID_SELF

/* What the hypervisor left in the registers at entry. */
struct entry_state {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp;
	uint32_t eflags, cr0, cr4, cs, ds, ss, tr, efer, efer_high, pad;
};
extern struct entry_state entry_state;

/* console.c: COM2, or where nothing answers there a domU's console, or console_io. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void finish(const char *verdict, const char *reason) __attribute__((noreturn));

/* test.c */
struct test_case {
	const char *name;
	void (*run)(void);
	long line;
	bool is_dom0_only;
};
#define TEST_CASE(what, is_dom0_only)                                                            \
	static void test_##what(void);                                                           \
	static const struct test_case case_##what                                                \
		__attribute__((section(".tests"), used, aligned(8))) = {#what, test_##what,      \
									__LINE__, is_dom0_only}; \
	static void test_##what(void)
#define TEST(what) TEST_CASE(what, false)
/* Of devices and rights that only dom0 has. A guest of nothing else says SKIP as domU. */
#define TEST_DOM0(what) TEST_CASE(what, true)

void test_failed(const char *file, int line, const char *what, long got, long wanted);
void skip(const char *reason) __attribute__((noreturn));

#define EXPECT(x)                                                  \
	({                                                         \
		bool expect_ok = (x);                              \
		if (!expect_ok) {                                  \
			test_failed(__FILE__, __LINE__, #x, 0, 1); \
		}                                                  \
		expect_ok;                                         \
	})
#define EXPECT_EQ(a, b)                                                                    \
	({                                                                                 \
		long expect_a = (long)(a), expect_b = (long)(b);                           \
		if (expect_a != expect_b) {                                                \
			test_failed(__FILE__, __LINE__, #a " == " #b, expect_a, expect_b); \
		}                                                                          \
		expect_a == expect_b;                                                      \
	})
/* string.c */
void *memset(void *to, int byte, size_t size);
void *memcpy(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

/* cpu.h-like inlines */
static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint64_t rdmsr(uint32_t index)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t index, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void irq_on(void)
{
	__asm__ volatile("sti; nop" : : : "memory");
}

static inline void irq_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void barrier(void)
{
	__asm__ volatile("" : : : "memory");
}

static inline void pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* hypercall.c */
extern uint32_t xen_leaf; /* 0x40000000 and so on; 0: no hypervisor */
extern uint8_t hypercall_page[PAGE_SIZE];
extern bool uses_vmcall;
void hypercall_init(void);

/* By the instruction itself, as Linux 6.1 does it; VMMCALL on AMD, VMCALL on Intel. */
static inline long hypercall(unsigned long nr, unsigned long a, unsigned long b, unsigned long c,
			     unsigned long d, unsigned long e)
{
	register unsigned long r10 __asm__("r10") = d;
	register unsigned long r8 __asm__("r8") = e;
	long ret = (long)nr;

	if (uses_vmcall) {
		__asm__ volatile("vmcall"
				 : "+a"(ret), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
				 :
				 : "memory");
	} else {
		__asm__ volatile("vmmcall"
				 : "+a"(ret), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
				 :
				 : "memory");
	}
	return ret;
}

#define hypercall1(nr, a)    hypercall(nr, (unsigned long)(a), 0, 0, 0, 0)
#define hypercall2(nr, a, b) hypercall(nr, (unsigned long)(a), (unsigned long)(b), 0, 0, 0)
#define hypercall3(nr, a, b, c) \
	hypercall(nr, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), 0, 0)

/* trap.c */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct probe {
	uint64_t rsp;
	bool is_armed;
	int vector; /* -1: it did not fault */
	uint64_t error;
	uint64_t cr2;
	uint64_t rip;
};

typedef void (*trap_handler_fn)(struct trap_frame *frame);

void trap_init(void);
void trap_load(void);
/* For vectors from 32 up; the handler acknowledges the interrupt itself. */
void trap_set_handler(unsigned vector, trap_handler_fn handler);
/* Run fn(arg) and tell which exception it raised, if any. */
struct probe probe(void (*fn)(void *), void *arg);
void probe_call(void (*fn)(void *), void *arg, struct probe *p);
/* The exception of one RDMSR, WRMSR: -1 for none. */
int rdmsr_safe(uint32_t index, uint64_t *value);
int wrmsr_safe(uint32_t index, uint64_t value);

/* paging.c: change how one page of the identity map is mapped. */
#define PTE_P  1UL
#define PTE_W  2UL
#define PTE_U  4UL
#define PTE_NX (1UL << 63)
void map_page(uint64_t virt, uint64_t pte);

/* apic.c */
extern bool is_x2apic;
void apic_enable(void); /* xAPIC, software-enabled, spurious vector 0xff */
void apic_enable_x2apic(void);
bool has_x2apic(void);
uint32_t apic_read(unsigned reg); /* the xAPIC's offset: 0x20, 0x30, ... */
void apic_write(unsigned reg, uint32_t value);
uint32_t apic_id(void);
void apic_eoi(void);
void apic_ipi(uint32_t apic_id, uint32_t command);

/* smp.c */
struct cpu {
	unsigned index;
	uint32_t apic_id;
	struct probe *probe;
	void (*volatile work)(void *);
	void *work_arg;
	volatile bool is_up;
	volatile bool is_done;
};
#define MAX_CPUS 16
extern struct cpu cpus[MAX_CPUS];
struct cpu *this_cpu(void);
/* Start the vCPU with that number through INIT and SIPI; false if it does not answer. */
bool cpu_start(unsigned index);
uint32_t cpu_apic_id(unsigned index);
/* Run fn(arg) there; cpu_wait() until it has returned. */
void cpu_call(unsigned index, void (*fn)(void *), void *arg);
bool cpu_wait(unsigned index);

/* time.c: nanoseconds by the vCPU's own time page, TSC cycles before hypercalls work. */
void time_init(void);
uint64_t now_ns(void);
/* The hypervisor's clock, of deadlines; it did not start with the TSC. Good enough for waits. */
uint64_t system_ns(void);
void delay_us(uint64_t us);
/* Wait with interrupts on until the condition holds or so much time is over; true if it held. */
#define WAIT_FOR(condition, ms)                                        \
	({                                                             \
		uint64_t wait_end = now_ns() + (uint64_t)(ms)*1000000; \
		irq_on();                                              \
		while (!(condition) && now_ns() < wait_end) {          \
			pause();                                       \
		}                                                      \
		irq_off();                                             \
		(condition);                                           \
	})

/* shared.c: the shared info page and what is in it. */
extern struct shared_info *shared_info;
/* Ports that were there at the start, a domU's console and store: masked. */
extern uint64_t start_ports;
void shared_info_map(void);
struct hvm_start_info *start_info(void);
bool is_dom0(void);	  /* by the flags of the start info */
domid_t own_domain(void); /* by CPUID */
/* Guest frames that nothing is in: for mapping special pages. */
uint64_t scratch_frame(void);
