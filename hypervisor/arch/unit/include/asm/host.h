/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing of the contract is inline here: arch/unit/host.c has all of it.
 */
#pragma once
