/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MSI capability. PCI Local Bus 3.0, 6.8.1. The guest sees the address and data that it
 * wrote; the device gets what the interrupt was bound to. One vector is offered: several
 * would need neighbouring entries in every remapping table, and drivers fall back to one.
 */
#include "vpci/vpci_private.h"

#include "arch/contract/guest.h"
#include "core/log.h"

#define CONTROL_ENABLE	 BIT(0)
#define CONTROL_CAPABLE	 (7u << 1) /* multiple message capable */
#define CONTROL_MULTIPLE (7u << 4) /* multiple message enable */
#define CONTROL_64BIT	 BIT(7)

static u16 data_register(const struct vpci_msi *msi)
{
	return (u16)(msi->at + (msi->is_64bit ? 12 : 8));
}

int vpci_msi_init(struct vpci_function *f)
{
	struct vpci_msi *msi = &f->msi;
	u16 control;

	msi->at = f->host->msi;
	if (!msi->at) {
		return 0;
	}
	control = (u16)pci_config_read(f->host->bdf, (u16)(msi->at + 2), 2);
	msi->is_64bit = control & CONTROL_64BIT;
	if (control & CONTROL_ENABLE) {
		pci_config_write(f->host->bdf, (u16)(msi->at + 2), 2,
				 control & ~(u32)CONTROL_ENABLE);
	}
	return 0;
}

static void write_control(struct vpci_function *f, bool is_enabled)
{
	u16 at = (u16)(f->msi.at + 2);
	u32 control =
		pci_config_read(f->host->bdf, at, 2) & ~(u32)(CONTROL_ENABLE | CONTROL_MULTIPLE);

	pci_config_write(f->host->bdf, at, 2, control | (is_enabled ? CONTROL_ENABLE : 0));
}

/* The device gets what sends the guest's message to the guest. */
static bool bind(struct vpci_function *f)
{
	struct vpci_msi *msi = &f->msi;
	struct pci_bdf bdf = f->host->bdf;
	u64 address;
	u32 data;
	int rc;

	rc = arch_msi_bind(f->domain, bdf.segment, bdf.bus, bdf.devfn, msi->address, msi->data,
			   &msi->irq, &address, &data);
	if (rc) {
		log_guest(f->domain, PCI_FMT ": MSI cannot be bound: %d\n", PCI_ARGS(bdf), rc);
		return false;
	}
	pci_config_write(bdf, (u16)(msi->at + 4), 4, (u32)address);
	if (msi->is_64bit) {
		pci_config_write(bdf, (u16)(msi->at + 8), 4, (u32)(address >> 32));
	}
	pci_config_write(bdf, data_register(msi), 2, data & 0xffff);
	return true;
}

static void set_enabled(struct vpci_function *f, bool is_enabled)
{
	struct vpci_msi *msi = &f->msi;

	if (is_enabled == msi->is_enabled) {
		return;
	}
	if (!is_enabled) {
		write_control(f, false);
		arch_msi_unbind(f->domain, msi->irq);
		msi->irq = NULL;
		msi->is_enabled = false;
		return;
	}
	if (bind(f)) {
		msi->is_enabled = true;
		write_control(f, true);
	}
}

void vpci_msi_fini(struct vpci_function *f)
{
	if (f->msi.at) {
		set_enabled(f, false);
	}
}

bool vpci_msi_read(struct vpci_function *f, u16 at, u32 *value)
{
	struct vpci_msi *msi = &f->msi;

	if (!msi->at) {
		return false;
	}
	if (at == msi->at) {
		*value = pci_config_read(f->host->bdf, at, 4) &
			 ~((u32)(CONTROL_ENABLE | CONTROL_CAPABLE | CONTROL_MULTIPLE) << 16);
		*value |= msi->is_enabled ? (u32)CONTROL_ENABLE << 16 : 0;
		return true;
	}
	if (at == msi->at + 4) {
		*value = (u32)msi->address;
		return true;
	}
	if (msi->is_64bit && at == msi->at + 8) {
		*value = (u32)(msi->address >> 32);
		return true;
	}
	if (at == data_register(msi)) {
		*value = msi->data;
		return true;
	}
	return false;
}

bool vpci_msi_write(struct vpci_function *f, const struct vpci_write *w)
{
	struct vpci_msi *msi = &f->msi;

	if (!msi->at) {
		return false;
	}
	if (w->at == msi->at) {
		if (w->mask & 0xff0000) {
			set_enabled(f, w->value >> 16 & CONTROL_ENABLE);
		}
		return true;
	}
	if (w->at == msi->at + 4) {
		msi->address =
			(msi->address & ~0xffffffffull) | (vpci_merge(w, (u32)msi->address) & ~3u);
	} else if (msi->is_64bit && w->at == msi->at + 8) {
		msi->address = (msi->address & 0xffffffffu) |
			       (u64)vpci_merge(w, (u32)(msi->address >> 32)) << 32;
	} else if (w->at == data_register(msi)) {
		msi->data = vpci_merge(w, msi->data) & 0xffff;
	} else {
		return false; /* mask and pending bits are the device's own */
	}
	if (msi->is_enabled && !bind(f)) {
		set_enabled(f, false);
	}
	return true;
}
