/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GuidPopup: a menu, tooltip or other override-redirect window of a domain.
 *
 * A real popup of the desktop, placed relative to its parent window's pixels; it takes
 * neither focus nor a grab, so the guest decides when it goes. A border in the label's
 * colour is drawn inside of it.
 */
#pragma once

#include "guid/guid-surface.h"

#define GUID_TYPE_POPUP (guid_popup_get_type())
G_DECLARE_FINAL_TYPE(GuidPopup, guid_popup, GUID, POPUP, GtkPopover)

/* Shows `window` over `anchor`'s surface. */
GuidPopup *guid_popup_new(struct session *session, struct window *window, struct window *anchor,
			  GuidSurface *parent, const GdkRGBA *border);
/* Takes it off the screen and lets go of the window; the popup is gone then. */
void guid_popup_close(GuidPopup *self);
GuidSurface *guid_popup_get_surface(GuidPopup *self);
/* The widget that it hangs on. */
GuidSurface *guid_popup_get_anchor(GuidPopup *self);
void guid_popup_changed(GuidPopup *self, struct window *anchor, unsigned int what);
