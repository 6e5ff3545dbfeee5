/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules. Four of them:
 *   control    dom0 may do everything to everybody, and alone may use the machine-wide calls;
 *   self       a domain may do to itself what the ABI lets every guest do;
 *   model      a device model (target is set) may do to its target what it needs to run it;
 *   otherwise  no.
 */
#include "policy/policy.h"

#include <xen/domctl.h>
#include <xen/hvm/params.h>
#include <xen/version.h>

static bool is_self(const struct domain *caller, const struct domain *target)
{
	return caller == target;
}

static bool is_model_of(const struct domain *caller, const struct domain *target)
{
	return target && caller->target.v == target->id.v && caller->target.v != DOMID_INVALID;
}

static int answer(bool may)
{
	return may ? 0 : -EPERM;
}

/* What a device model asks about or does to its target (issue of stub domains). */
static bool is_domctl_of_model(u32 cmd)
{
	switch (cmd) {
	case XEN_DOMCTL_getdomaininfo:
	case XEN_DOMCTL_bind_pt_irq:
	case XEN_DOMCTL_unbind_pt_irq:
	case XEN_DOMCTL_memory_mapping:
	case XEN_DOMCTL_ioport_mapping:
		return true;
	default:
		return false;
	}
}

int policy_domctl(const struct domain *caller, const struct domain *target, u32 cmd)
{
	return answer(caller->is_control || (is_model_of(caller, target) && is_domctl_of_model(cmd)));
}

int policy_sysctl(const struct domain *caller, u32 cmd)
{
	return answer(caller->is_control);
}

int policy_platform(const struct domain *caller, u32 cmd)
{
	return answer(caller->is_control);
}

int policy_physdev(const struct domain *caller, u32 cmd)
{
	return answer(caller->is_hardware);
}

int policy_memory_of(const struct domain *caller, const struct domain *target)
{
	return answer(caller->is_control || is_self(caller, target) || is_model_of(caller, target));
}

/* Parameters that a guest sets for itself; the rest is the tools' and the device model's. */
static bool is_param_of_guest(u32 param, bool is_set)
{
	switch (param) {
	case HVM_PARAM_CALLBACK_IRQ:
	case HVM_PARAM_VM86_TSS:
	case HVM_PARAM_VM86_TSS_SIZED:
	case HVM_PARAM_VM_GENERATION_ID_ADDR:
	case HVM_PARAM_ALTP2M:
		return true;
	case HVM_PARAM_STORE_PFN:
	case HVM_PARAM_STORE_EVTCHN:
	case HVM_PARAM_CONSOLE_PFN:
	case HVM_PARAM_CONSOLE_EVTCHN:
	case HVM_PARAM_X87_FIP_WIDTH:
		return !is_set;
	default:
		return false;
	}
}

int policy_hvm_param(const struct domain *caller, const struct domain *target, u32 param, bool is_set)
{
	return answer(caller->is_control || is_model_of(caller, target) ||
		      (is_self(caller, target) && is_param_of_guest(param, is_set)));
}

int policy_evtchn_for(const struct domain *caller, const struct domain *target)
{
	return answer(caller->is_control || is_self(caller, target) || is_model_of(caller, target));
}

int policy_grant_for(const struct domain *caller, const struct domain *target)
{
	return answer(caller->is_control || is_self(caller, target) || is_model_of(caller, target));
}

int policy_device_model(const struct domain *caller, const struct domain *target)
{
	return answer(!is_self(caller, target) && (caller->is_control || is_model_of(caller, target)));
}

int policy_console(const struct domain *caller)
{
	return answer(caller->is_control);
}

int policy_version(const struct domain *caller, u32 cmd)
{
	return answer(caller->is_control || (cmd != XENVER_commandline && cmd != XENVER_build_id));
}

/* Not its own: what a guest is told of its memory is its tools' word. */
int policy_memory_map_of(const struct domain *caller, const struct domain *target)
{
	return answer(caller->is_control || is_model_of(caller, target));
}

int policy_memory_amount(const struct domain *caller)
{
	return answer(caller->is_control);
}

/* It is who builds and serves others; a frame that somebody else kept would outlive its owner's wish. */
int policy_foreign_memory_in(const struct domain *holder)
{
	return answer(holder->is_control);
}

/* Its firmware wants some calls on one CPU. */
int policy_pin_override(const struct domain *caller)
{
	return answer(caller->is_hardware);
}

int policy_loader(const struct domain *caller)
{
	return answer(caller->is_control);
}
