/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/agent/pixels.h"

#include <drm_fourcc.h>
#include <wlr/types/wlr_buffer.h>

/* DRM names little-endian bytes, pixman native words. */
static pixman_format_code_t format_of(uint32_t drm_format)
{
	switch (drm_format) {
	case DRM_FORMAT_ARGB8888:
		return PIXMAN_a8r8g8b8;
	case DRM_FORMAT_XRGB8888:
		return PIXMAN_x8r8g8b8;
	case DRM_FORMAT_ABGR8888:
		return PIXMAN_a8b8g8r8;
	case DRM_FORMAT_XBGR8888:
		return PIXMAN_x8b8g8r8;
	case DRM_FORMAT_RGBA8888:
		return PIXMAN_r8g8b8a8;
	case DRM_FORMAT_RGBX8888:
		return PIXMAN_r8g8b8x8;
	case DRM_FORMAT_BGRA8888:
		return PIXMAN_b8g8r8a8;
	case DRM_FORMAT_BGRX8888:
		return PIXMAN_b8g8r8x8;
	case DRM_FORMAT_RGB565:
		return PIXMAN_r5g6b5;
	case DRM_FORMAT_ARGB2101010:
		return PIXMAN_a2r10g10b10;
	case DRM_FORMAT_XRGB2101010:
		return PIXMAN_x2r10g10b10;
	case DRM_FORMAT_ABGR2101010:
		return PIXMAN_a2b10g10r10;
	case DRM_FORMAT_XBGR2101010:
		return PIXMAN_x2b10g10r10;
	default:
		return 0;
	}
}

/* The surface's buffer as an image; to be given back with image_end(). */
static pixman_image_t *image_begin(struct wlr_surface *surface, struct wlr_buffer **buffer_out)
{
	struct wlr_buffer *buffer = surface->buffer ? surface->buffer->source : NULL;
	pixman_image_t *image = NULL;
	pixman_format_code_t format;
	uint32_t drm_format;
	size_t stride;
	void *data;

	if (!buffer || !wlr_buffer_begin_data_ptr_access(buffer, WLR_BUFFER_DATA_PTR_ACCESS_READ,
							 &data, &drm_format, &stride)) {
		return NULL;
	}
	format = format_of(drm_format);
	if (format) {
		image = pixman_image_create_bits_no_clear(format, buffer->width, buffer->height,
							  data, (int)stride);
	}
	if (!image) {
		wlr_buffer_end_data_ptr_access(buffer);
		return NULL;
	}
	*buffer_out = buffer;
	return image;
}

static void image_end(pixman_image_t *image, struct wlr_buffer *buffer)
{
	pixman_image_unref(image);
	wlr_buffer_end_data_ptr_access(buffer);
}

/* From the picture's pixels to the buffer's, where they are not one to one. */
static void image_scale(pixman_image_t *image, struct wlr_surface *surface, uint32_t scale)
{
	struct wlr_fbox box;
	struct pixman_f_transform f;
	struct pixman_transform t;
	double sx, sy;

	wlr_surface_get_buffer_source_box(surface, &box);
	if (surface->current.width <= 0 || surface->current.height <= 0) {
		return;
	}
	sx = box.width / surface->current.width / scale;
	sy = box.height / surface->current.height / scale;
	if (sx == 1 && sy == 1 && box.x == 0 && box.y == 0) {
		return;
	}
	pixman_f_transform_init_scale(&f, sx, sy);
	pixman_f_transform_translate(&f, NULL, box.x, box.y);
	if (pixman_transform_from_pixman_f_transform(&t, &f)) {
		pixman_image_set_transform(image, &t);
		pixman_image_set_filter(image, PIXMAN_FILTER_BILINEAR, NULL, 0);
	}
}

static uint64_t region_area(const pixman_region32_t *region)
{
	int count, i;
	const pixman_box32_t *boxes =
		pixman_region32_rectangles((pixman_region32_t *)region, &count);
	uint64_t area = 0;

	for (i = 0; i < count; i++) {
		area += (uint64_t)(boxes[i].x2 - boxes[i].x1) *
			(uint64_t)(boxes[i].y2 - boxes[i].y1);
	}
	return area;
}

void pixels_region_scale(pixman_region32_t *region, uint32_t scale)
{
	pixman_region32_t scaled;
	const pixman_box32_t *boxes;
	int count, i;

	if (scale == 1) {
		return;
	}
	pixman_region32_init(&scaled);
	boxes = pixman_region32_rectangles(region, &count);
	for (i = 0; i < count; i++) {
		pixman_region32_union_rect(&scaled, &scaled, boxes[i].x1 * (int32_t)scale,
					   boxes[i].y1 * (int32_t)scale,
					   (uint32_t)(boxes[i].x2 - boxes[i].x1) * scale,
					   (uint32_t)(boxes[i].y2 - boxes[i].y1) * scale);
	}
	pixman_region32_copy(region, &scaled);
	pixman_region32_fini(&scaled);
}

uint64_t pixels_copy(struct wlr_surface *surface, int32_t x, int32_t y, bool is_base,
		     const pixman_region32_t *damage, uint32_t scale, pixman_image_t *to)
{
	int32_t times = (int32_t)scale;
	pixman_region32_t part;
	struct wlr_buffer *buffer;
	pixman_image_t *from;
	uint64_t area = 0;

	pixman_region32_init(&part);
	pixman_region32_intersect_rect(&part, (pixman_region32_t *)damage, x, y,
				       (unsigned int)surface->current.width,
				       (unsigned int)surface->current.height);
	from = pixman_region32_not_empty(&part) ? image_begin(surface, &buffer) : NULL;
	if (from) {
		image_scale(from, surface, scale);
		pixels_region_scale(&part, scale);
		pixman_image_set_clip_region32(to, &part);
		pixman_image_composite32(is_base ? PIXMAN_OP_SRC : PIXMAN_OP_OVER, from, NULL, to,
					 0, 0, 0, 0, x * times, y * times,
					 surface->current.width * times,
					 surface->current.height * times);
		pixman_image_set_clip_region32(to, NULL);
		image_end(from, buffer);
		area = region_area(&part);
	}
	pixman_region32_fini(&part);
	return area;
}

uint64_t pixels_hash_of(const uint32_t *argb, uint32_t width, uint32_t height, uint32_t stride)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a, by pixel */
	uint32_t x, y;

	for (y = 0; y < height; y++) {
		for (x = 0; x < width; x++) {
			uint32_t pixel = argb[(size_t)y * stride / 4 + x];

			/* Where nothing is seen, the size of the picture says nothing either. */
			if (pixel >> 24) {
				hash = (hash ^ pixel ^ (uint64_t)x << 40 ^ (uint64_t)y << 52) *
				       1099511628211u;
			}
		}
	}
	return hash;
}

uint64_t pixels_hash(struct wlr_surface *surface)
{
	struct wlr_buffer *buffer;
	pixman_image_t *image = image_begin(surface, &buffer);
	uint64_t hash = 0;

	if (!image) {
		return 0;
	}
	if (pixman_image_get_format(image) == PIXMAN_a8r8g8b8 && buffer->width <= 256 &&
	    buffer->height <= 256) {
		hash = pixels_hash_of(pixman_image_get_data(image), (uint32_t)buffer->width,
				      (uint32_t)buffer->height,
				      (uint32_t)pixman_image_get_stride(image));
	}
	image_end(image, buffer);
	return hash;
}
