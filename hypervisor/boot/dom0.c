/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/dom0.h"

#include <stdint.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>

#include "arch/contract/dom0.h"
#include "boot/cmdline.h"
#include "boot/dom0_options.h"
#include "boot/modules.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/smp.h"
#include "domain/domain.h"
#include "domain/vcpu.h"
#include "lib/string.h"
#include "mm/frame_alloc.h"
#include "vpci/vpci.h"

#define VCPU_DEFAULT_MAX 16u

static INIT_DATA struct memory_region host[BOOT_REGION_MAX];

static unsigned int choose_vcpu_count(void)
{
	char value[CMDLINE_VALUE_MAX];
	unsigned int count;

	if (!cmdline_value(boot_info.command_line, "dom0_max_vcpus", value, sizeof(value))) {
		return MIN(smp_cpu_count(), VCPU_DEFAULT_MAX);
	}
	count = (unsigned int)cmdline_number(boot_info.command_line, "dom0_max_vcpus", 1, VCPU_MAX,
					     0);
	if (!count) {
		boot_refuse("dom0_max_vcpus= must be a number from 1 to %u.", VCPU_MAX);
	}
	return count;
}

static struct dom0_memory choose_memory(void)
{
	u64 available = frame_free_count() << PAGE_SHIFT;
	char value[CMDLINE_VALUE_MAX];
	bool is_given = cmdline_value(boot_info.command_line, "dom0_mem", value, sizeof(value));
	struct dom0_memory m;
	unsigned int i;

	for (i = 0; i < boot_info.module_count; i++) {
		available += boot_info.modules[i].size_bytes & PAGE_MASK; /* given back in time */
	}
	if (dom0_memory_choose(is_given ? value : NULL, frame_total_count() << PAGE_SHIFT,
			       available, &m)) {
		boot_refuse(
			"dom0_mem= must be a size such as 2048M, optionally min:SIZE and max:SIZE, "
			"with commas between.");
	}
	return m;
}

static struct dom0_file file_of(unsigned int which, const char *name)
{
	const struct boot_module *m = &boot_info.modules[which];

	if (which >= boot_info.module_count) {
		return (struct dom0_file){.size_bytes = 0};
	}
	if (m->size_bytes == 0) {
		boot_refuse("The first domain's %s (module %u of the boot loader) is empty.", name,
			    which + 1);
	}
	return (struct dom0_file){.start = m->start, .size_bytes = m->size_bytes};
}

static struct domain *create(const struct dom0_memory *memory)
{
	struct domain_config config = {
		.create_flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_iommu,
		.vcpu_count = choose_vcpu_count(),
		.emulation_flags = XEN_X86_EMU_LAPIC | XEN_X86_EMU_IOAPIC | XEN_X86_EMU_VPCI,
		.is_control = true,
		.is_hardware = true,
	};
	struct domain *d;
	struct vcpu *v;
	unsigned int i;

	if (domain_create(domain_id_of(0), &config, &d)) {
		boot_refuse("Cannot create the first domain: too little memory.");
	}
	d->frame_limit = MIN(memory->max_bytes >> PAGE_SHIFT, (u64)UINT32_MAX);
	for (i = 0; i < config.vcpu_count; i++) {
		if (vcpu_create(d, i, &v)) {
			boot_refuse("Cannot create the first domain's vCPU %u: too little memory.",
				    i);
		}
	}
	return d;
}

void dom0_create(void)
{
	struct dom0_input in = {
		.command_line = boot_info.modules[0].command_line,
		.host = host,
		.host_count = boot_info.region_count,
		.release = modules_release,
	};
	struct dom0_memory memory;
	struct domain *d;
	unsigned int i;

	if (boot_info.module_count == 0) {
		boot_refuse(
			"There is no kernel for the first domain: the boot loader must load one as the "
			"first module.");
	}
	for (i = 0; i < boot_info.region_count; i++) {
		host[i].start = hpa_raw(boot_info.regions[i].start);
		host[i].end = host[i].start + boot_info.regions[i].size_bytes;
		host[i].type = boot_info.regions[i].type;
	}

	in.kernel = file_of(0, "kernel");
	in.initrd = file_of(1, "initrd");
	memory = choose_memory();
	in.ram_bytes = memory.initial_bytes;
	d = create(&memory);
	dom0 = d;
	arch_dom0_build(d, &in);
	if (vpci_give_all(d)) {
		boot_refuse(
			"Cannot give the machine's devices to the first domain: too little memory.");
	}
	vcpu_up(d->vcpus[0]);
	domain_unpause(d);
}
