// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/panic.h"

#include <stdarg.h>

#include "core/console.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "hv/error.h"
#include "lib/format.h"

static u32 panicking_cpu; /* + 1 */
static RO_AFTER_INIT bool is_noreboot;

void panic_set_noreboot(bool noreboot)
{
	is_noreboot = noreboot;
}

bool panic_is_under_way(void)
{
	return load_relaxed(&panicking_cpu) != 0;
}

void panic_begin(void)
{
	u32 nobody = 0;
	cpu_t cpu;

	arch_irq_disable();
	if (!__atomic_compare_exchange_n(&panicking_cpu, &nobody, arch_cpu_id() + 1, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		/* Another CPU is at it, or our own report failed. */
		arch_cpu_halt();
	}
	console_enter_panic();
	for_each_cpu(cpu, smp_online()) {
		if (cpu != arch_cpu_id()) {
			arch_ipi_send(cpu, ARCH_IPI_STOP);
		}
	}
}

void panic_end(void)
{
	if (is_noreboot) {
		log_error("Halted (noreboot). Switch the machine off or reset it by hand.\n");
		arch_cpu_halt();
	}
	log_error("Rebooting.\n");
	arch_reboot();
}

void panic(const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	format_text_v(text, sizeof(text), fmt, args);
	va_end(args);
	panic_begin();
	log_error("\nPanic on cpu %u: %s\n", arch_cpu_id(), text);
	arch_backtrace();
	panic_end();
}

void boot_refuse(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	format_text_v(text, sizeof(text), fmt, args);
	va_end(args);
	panic_begin();
	log_error("\nMullion cannot start: %s\n", text);
	panic_end();
}

void check_failed(const char *what, const char *file, int line)
{
	panic("check failed: %s (%s:%d)", what, file, line);
}
