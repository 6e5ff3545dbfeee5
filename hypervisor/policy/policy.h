/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * May A do this to B: one function for each kind of action, all rules in policy.c.
 * By default dom0 everything, a domain itself, a device model its target. 0 or -EPERM.
 */
#pragma once

#include "domain/domain.h"
#include "hv/compiler.h"

int policy_domctl(const struct domain *caller, const struct domain *target, u32 cmd) MUST_CHECK;
int policy_sysctl(const struct domain *caller, u32 cmd) MUST_CHECK;
int policy_platform(const struct domain *caller, u32 cmd) MUST_CHECK;
int policy_physdev(const struct domain *caller, u32 cmd) MUST_CHECK;
int policy_memory_of(const struct domain *caller, const struct domain *target) MUST_CHECK; /* adjust or map its memory */
int policy_hvm_param(const struct domain *caller, const struct domain *target, u32 param, bool is_set) MUST_CHECK;
int policy_evtchn_for(const struct domain *caller, const struct domain *target) MUST_CHECK; /* act in its name */
int policy_grant_for(const struct domain *caller, const struct domain *target) MUST_CHECK;
int policy_device_model(const struct domain *caller, const struct domain *target) MUST_CHECK;
int policy_console(const struct domain *caller) MUST_CHECK;
int policy_version(const struct domain *caller, u32 cmd) MUST_CHECK;
int policy_memory_map_of(const struct domain *caller, const struct domain *target) MUST_CHECK; /* set it */
int policy_memory_amount(const struct domain *caller) MUST_CHECK; /* claims, populate on demand; of anybody */
/* Frames of others may be in holder's memory (those that the caller may name: policy_memory_of()). */
int policy_foreign_memory_in(const struct domain *holder) MUST_CHECK;
int policy_pin_override(const struct domain *caller) MUST_CHECK;
int policy_loader(const struct domain *caller) MUST_CHECK;
