// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The start: a table of steps, run in order on the boot CPU. The last one starts dom0, and
 * then every CPU enters its run loop.
 */
#include "arch/contract/guest.h"
#include "arch/contract/host.h"
#include "arch/contract/machine.h"
#include "arch/contract/paging.h"
#include "boot/cmdline.h"
#include "boot/debug_keys.h"
#include "boot/dom0.h"
#include "boot/memory.h"
#include "boot/modules.h"
#include "boot/secret_free.h"
#include "boot/speculation_options.h"
#include "core/console.h"
#include "core/debug_key.h"
#include "core/init.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/rcu.h"
#include "core/smp.h"
#include "core/timer.h"
#include "drivers/acpi/acpi.h"
#include "drivers/iommu/iommu.h"
#include "drivers/pci/pci.h"
#include "drivers/uart/ns16550.h"
#include "drivers/vga/vga_text.h"
#include "domain/frame_owner.h"
#include "evtchn/evtchn.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "mm/frame_alloc.h"
#include "mm/heap.h"
#include "mm/window.h"
#include "sched/sched.h"

#include <xen/xen.h>

static INIT_DATA u32 loader_magic;
static INIT_DATA hpa_t loader_information;

/*
 * Every option that any part reads; others are named in the log and ignored. (Output is
 * always synchronous, so sync_console asks for nothing.)
 */
static const char *const known_options[] = {
	"com1", "com2", "console", "dom0_max_vcpus", "dom0_mem", "iommu", "loglvl", "maxcpus",
	"noreboot", "selftest", "spec-ctrl", "sync_console", NULL,
};

static const char *options(void)
{
	return boot_info.command_line;
}

/* --- steps --- */

static bool read_boot_memory(void *context, hpa_t address, void *to, size_t size_bytes)
{
	const void *from = arch_boot_map(address, size_bytes);

	if (from) {
		memcpy(to, from, size_bytes);
	}
	return from != NULL;
}

/* The console comes first as far as it can: a refusal of anything later must be seen. */
static void start_loader_information(void)
{
	const char *why = NULL;

	if (boot_info_parse(read_boot_memory, NULL, loader_magic, loader_information, &boot_info, &why)) {
		static struct console_device *const fallback[] = {&ns16550_com1, NULL};

		console_setup("com1", fallback);
		boot_refuse("%s", why ? why : "The boot loader's information is broken.");
	}
}

static char com1_options[16], com2_options[16];

static void start_serial_console(void)
{
	static struct console_device *const devices[] = {&ns16550_com1, &ns16550_com2, NULL};
	char names[CMDLINE_VALUE_MAX] = "com1,vga";

	cmdline_value(options(), "console", names, sizeof(names));
	if (cmdline_value(options(), "com1", com1_options, sizeof(com1_options))) {
		ns16550_com1.options = com1_options;
	}
	if (cmdline_value(options(), "com2", com2_options, sizeof(com2_options))) {
		ns16550_com2.options = com2_options;
	}
	console_setup(names, devices);
}

static void report_unknown(void *context, const char *word, size_t length)
{
	log_warning("unknown option ignored: %.*s\n", (int)MIN(length, 80ul), word);
}

static void start_options(void)
{
	static const char *const names[] = {"error", "warning", "info", "debug", "none", "all"};
	static const enum log_level levels[] = {LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_ERROR,
						LOG_DEBUG};
	char value[CMDLINE_VALUE_MAX];
	unsigned int i;

	log_info("Mullion %s, loaded by %s\n", MULLION_VERSION,
		 boot_info.loader_name[0] ? boot_info.loader_name : "an unnamed loader");
	log_info("command line: %s\n", options());
	cmdline_unknown(options(), known_options, report_unknown, NULL);
	panic_set_noreboot(cmdline_flag(options(), "noreboot", false));
	if (cmdline_value(options(), "loglvl", value, sizeof(value))) {
		for (i = 0; i < ARRAY_SIZE(names); i++) {
			if (strncmp(value, names[i], strlen(names[i])) == 0) {
				log_set_level(levels[i]);
			}
		}
	}
}

static void start_memory(void)
{
	boot_memory_setup();
}

static void start_screen(void)
{
	static struct console_device *const devices[] = {&vga_text, NULL};
	char names[CMDLINE_VALUE_MAX] = "com1,vga";

	cmdline_value(options(), "console", names, sizeof(names));
	console_setup(names, devices);
}

static void start_core(void)
{
	rcu_setup();
	timer_setup();
	debug_key_setup();
	debug_keys_register();
}

static void start_speculation(void)
{
	struct speculation_options wanted;

	speculation_options_parse(options(), &wanted, report_unknown, NULL);
	arch_speculation_setup(&wanted);
}

/* ACPI tables may lie anywhere; a window a page. */
static bool read_any_memory(void *context, hpa_t address, void *to, size_t size_bytes)
{
	char *out = to;
	size_t piece;
	char *page;

	while (size_bytes) {
		if (hpa_raw(address) >= 1ull << 46) {
			return false;
		}
		piece = MIN(size_bytes, PAGE_SIZE - page_offset(hpa_raw(address)));
		page = window_map(hpa_to_mfn(address));
		memcpy(out, page + page_offset(hpa_raw(address)), piece);
		window_unmap(page);
		out += piece;
		size_bytes -= piece;
		address = hpa_add(address, piece);
	}
	return true;
}

static void start_acpi(void)
{
	const char *why = NULL;

	if (acpi_parse(read_any_memory, NULL, boot_info.rsdp, &acpi_info, &why)) {
		boot_refuse("ACPI: %s", why ? why : "no tables.");
	}
}

static void start_machine(void)
{
	struct machine_description m = {
		.hpet = acpi_info.hpet,
		.pm_timer_port = acpi_info.pm_timer_port,
		.is_pm_timer_32bit = acpi_info.is_pm_timer_32bit,
		.has_reset = acpi_info.has_reset,
		.is_reset_port = acpi_info.reset_space == 1 && acpi_info.reset_address <= 0xffff,
		.reset_port = (u16)acpi_info.reset_address,
		.reset_value = acpi_info.reset_value,
		.pm1a_control = acpi_info.pm1a_control,
		.pm1b_control = acpi_info.pm1b_control,
	};
	unsigned int i;

	arch_machine_setup(&m);
	for (i = 0; i < acpi_info.ioapic_count; i++) {
		arch_machine_add_ioapic(acpi_info.ioapics[i].id, acpi_info.ioapics[i].address,
					acpi_info.ioapics[i].gsi_base);
	}
}

static void start_cpus(void)
{
	static INIT_DATA u32 apic_ids[CPU_MAX];
	unsigned int i;

	for (i = 0; i < acpi_info.cpu_count; i++) {
		apic_ids[i] = acpi_info.cpus[i].apic_id;
	}
	arch_irq_enable();
	arch_cpus_start(apic_ids, acpi_info.cpu_count,
			(unsigned int)cmdline_number(options(), "maxcpus", 1, CPU_MAX, CPU_MAX),
			heap_alloc);
	log_info("%u CPUs\n", smp_cpu_count());
}

/* An ISA line is a GSI of the same number, edge and high, unless the MADT says otherwise. */
static bool route_isa(unsigned int isa_irq, void (*handler)(void *data), void *data)
{
	bool is_level = false, is_low = false;
	u32 gsi = isa_irq;
	unsigned int i;

	for (i = 0; i < acpi_info.override_count; i++) {
		if (acpi_info.overrides[i].source_irq == isa_irq) {
			gsi = acpi_info.overrides[i].gsi;
			is_low = (acpi_info.overrides[i].flags & 3) == 3;
			is_level = (acpi_info.overrides[i].flags >> 2 & 3) == 3;
		}
	}
	return arch_machine_route(gsi, is_level, is_low, handler, data) == 0;
}

static void notify_console_input(void)
{
	evtchn_virq_global(VIRQ_CONSOLE);
}

static void start_devices(void)
{
	char value[CMDLINE_VALUE_MAX];

	if (cmdline_value(options(), "iommu", value, sizeof(value))) {
		iommu_is_wanted = strcmp(value, "off") != 0 && strcmp(value, "no") != 0;
	}
	pci_setup();
	iommu_setup();
	console_set_input_notify(notify_console_input);
	ns16550_start_input(route_isa);
}

static void start_guests(void)
{
	frame_owner_setup();
	arch_wallclock_setup();
	hypervisor_command_line = options();
	arch_guest_setup();
	sched_setup();
}

/* While their code is still there, and before anybody allocates: paging_protect_after_init() is next. */
static void give_back_start_parts(void)
{
	struct hpa_range part;
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; arch_start_part(i, &part); i++) {
		boot_memory_release(part.start, hpa_raw(part.end) - hpa_raw(part.start));
		bytes += hpa_raw(part.end) - hpa_raw(part.start);
	}
	log_info("start is over: its %lu KiB are free memory\n", bytes >> 10);
}

static void start_dom0(void)
{
	char test[CMDLINE_VALUE_MAX];

	dom0_create();
	arch_boot_map_end();
	give_back_start_parts();
	paging_protect_after_init();
	if (cmdline_value(options(), "selftest", test, sizeof(test)) && strcmp(test, "secret-free") == 0) {
		secret_free_start();
	}
}

static const struct init_step steps[] = {
	{"loader information", start_loader_information, "nothing"},
	{"serial console", start_serial_console, "the command line"},
	{"options", start_options, "the command line, a console to complain on"},
	{"memory", start_memory, "the memory map"},
	{"screen", start_screen, "address space for it"},
	{"core", start_core, "nothing"},
	{"speculation", start_speculation, "options; the other CPUs not started yet"},
	{"ACPI", start_acpi, "windows"},
	{"interrupts and clock", start_machine, "ACPI"},
	{"CPUs", start_cpus, "ACPI, heap, clock"},
	{"devices", start_devices, "ACPI, heap, interrupts"},
	{"guests", start_guests, "all CPUs"},
	{"dom0", start_dom0, "everything"},
};

void boot_main(u32 magic, hpa_t information)
{
	unsigned int i;

	loader_magic = magic;
	loader_information = information;
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		log_debug("start: %s\n", steps[i].name);
		steps[i].run();
	}
	arch_cpus_release(sched_run_cpu);
	sched_run_cpu();
}
