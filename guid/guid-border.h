/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GuidBorder: the frame around a domain's pixels, in its label's colour and pattern.
 *
 * Its child lies inside of the frame and is clipped there, so nothing that a guest
 * draws reaches the frame. Also serves as a swatch without a child.
 */
#pragma once

#include "guid/label.h"

#include <gtk/gtk.h>

#define GUID_BORDER_WIDTH 6

#define GUID_TYPE_BORDER (guid_border_get_type())
G_DECLARE_FINAL_TYPE(GuidBorder, guid_border, GUID, BORDER, GtkWidget)

/* label: constant, see label.h */
void guid_border_set_label(GuidBorder *self, const struct label *label);
void guid_border_set_child(GuidBorder *self, GtkWidget *child);
void guid_border_rgba(uint32_t rgb, GdkRGBA *out);
