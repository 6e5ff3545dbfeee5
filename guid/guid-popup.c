/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/guid-popup.h"

struct _GuidPopup {
	GtkPopover parent_instance;

	GuidSurface *surface;
	GuidSurface *anchor;
};

G_DEFINE_FINAL_TYPE(GuidPopup, guid_popup, GTK_TYPE_POPOVER)

GuidSurface *guid_popup_get_surface(GuidPopup *self)
{
	return self->surface;
}

GuidSurface *guid_popup_get_anchor(GuidPopup *self)
{
	return self->anchor;
}

/*
 * Below a one pixel square of the parent. The square has to lie inside of the parent
 * (xdg-shell, set_anchor_rect), the rest of the way is an offset.
 */
static void place(GuidPopup *self, struct window *window, struct window *anchor)
{
	int x = window->rect.x - anchor->rect.x, y = window->rect.y - anchor->rect.y;
	GdkRectangle at = {
		CLAMP(x, 0, anchor->rect.width - 1),
		CLAMP(y, 0, anchor->rect.height - 1),
		1,
		1,
	};

	gtk_popover_set_pointing_to(GTK_POPOVER(self), &at);
	gtk_popover_set_offset(GTK_POPOVER(self), x - at.x, y - at.y - 1);
}

void guid_popup_changed(GuidPopup *self, struct window *anchor, unsigned int what)
{
	struct window *w = guid_surface_get_window(self->surface);

	if (what & WINDOW_CURSOR) {
		guid_surface_cursor_changed(self->surface);
	}
	if (what & WINDOW_GEOMETRY) {
		guid_surface_guest_resized(self->surface);
		if (anchor) {
			place(self, w, anchor);
		}
	}
	if (what & WINDOW_CONTENT) {
		guid_surface_content_changed(self->surface);
	}
	if (what & WINDOW_DAMAGE) {
		guid_surface_damaged(self->surface);
	}
}

void guid_popup_close(GuidPopup *self)
{
	guid_surface_detach(self->surface);
	gtk_popover_popdown(GTK_POPOVER(self));
	gtk_widget_unparent(GTK_WIDGET(self));
}

static void guid_popup_class_init(GuidPopupClass *klass)
{
}

static void guid_popup_init(GuidPopup *self)
{
	gtk_popover_set_has_arrow(GTK_POPOVER(self), FALSE);
	gtk_popover_set_autohide(GTK_POPOVER(self), FALSE);
	gtk_popover_set_position(GTK_POPOVER(self), GTK_POS_BOTTOM);
	gtk_widget_set_halign(GTK_WIDGET(self), GTK_ALIGN_START);
	gtk_widget_set_can_focus(GTK_WIDGET(self), FALSE);
	gtk_widget_add_css_class(GTK_WIDGET(self), "guid-popup");
}

GuidPopup *guid_popup_new(struct session *session, struct window *window, struct window *anchor,
			  GuidSurface *parent, const GdkRGBA *border)
{
	GuidPopup *self = g_object_new(GUID_TYPE_POPUP, NULL);

	self->anchor = parent;
	self->surface = guid_surface_new(session, window, TRUE, border);
	gtk_popover_set_child(GTK_POPOVER(self), GTK_WIDGET(self->surface));
	gtk_widget_set_parent(GTK_WIDGET(self), GTK_WIDGET(parent));
	place(self, window, anchor);
	gtk_popover_popup(GTK_POPOVER(self));
	return self;
}
