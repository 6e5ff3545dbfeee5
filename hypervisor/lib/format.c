// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/format.h"

#include "lib/string.h"

struct output {
	char *to;
	size_t capacity;
	size_t length; /* of the whole text, also what did not fit */
};

struct spec {
	bool is_left, is_zero_padded, is_prefixed, has_precision;
	unsigned int width, precision;
	unsigned int size_bytes; /* of an integer argument */
	char kind;
};

#define WIDTH_MAX 255u

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->capacity) {
		out->to[out->length] = c;
	}
	out->length++;
}

static void put_padded(struct output *out, const struct spec *spec, const char *text, size_t length)
{
	size_t i, pad = spec->width > length ? spec->width - length : 0;

	for (i = 0; !spec->is_left && i < pad; i++) {
		put(out, ' ');
	}
	for (i = 0; i < length; i++) {
		put(out, text[i]);
	}
	for (i = 0; spec->is_left && i < pad; i++) {
		put(out, ' ');
	}
}

static void put_number(struct output *out, const struct spec *spec, u64 value, bool is_negative)
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
	const char *digits = spec->kind == 'X' ? upper : lower;
	unsigned int base = spec->kind == 'd' || spec->kind == 'u' ? 10 : 16;
	char text[WIDTH_MAX + 3];
	size_t first = sizeof(text), least = 1, extra = is_negative;

	if (spec->is_prefixed && base == 16 && value) {
		extra = 2; /* 0x */
	}
	if (spec->has_precision) {
		least = spec->precision;
	} else if (spec->is_zero_padded && !spec->is_left) {
		least = spec->width > extra ? spec->width - extra : 1;
	}
	while (value || sizeof(text) - first < least) {
		first--;
		text[first] = digits[value % base];
		value /= base;
	}
	if (extra == 2) {
		first--;
		text[first] = spec->kind;
	}
	if (extra) {
		first--;
		text[first] = is_negative ? '-' : '0';
	}
	put_padded(out, spec, text + first, sizeof(text) - first);
}

static unsigned int parse_number(const char **fmt)
{
	unsigned int n = 0;

	while (**fmt >= '0' && **fmt <= '9') {
		n = MIN(n * 10 + (unsigned int)(**fmt - '0'), WIDTH_MAX - 1);
		(*fmt)++;
	}
	return n;
}

static const char *parse_flags(const char *fmt, struct spec *spec)
{
	for (;; fmt++) {
		if (*fmt == '-') {
			spec->is_left = true;
		} else if (*fmt == '0') {
			spec->is_zero_padded = true;
		} else if (*fmt == '#') {
			spec->is_prefixed = true;
		} else {
			return fmt;
		}
	}
}

static const char *parse_size(const char *fmt, struct spec *spec)
{
	spec->size_bytes = 4;
	if (*fmt == 'z') {
		spec->size_bytes = 8;
		return fmt + 1;
	}
	for (; *fmt == 'h'; fmt++) {
		spec->size_bytes /= 2;
	}
	for (; *fmt == 'l'; fmt++) {
		spec->size_bytes = 8;
	}
	return fmt;
}

static u64 unsigned_argument(const struct spec *spec, va_list *args)
{
	u64 x;

	if (spec->size_bytes == 8) {
		return va_arg(*args, u64);
	}
	x = va_arg(*args, unsigned int);
	return x & ((1ull << spec->size_bytes * 8) - 1);
}

static s64 signed_argument(const struct spec *spec, va_list *args)
{
	int x;

	if (spec->size_bytes == 8) {
		return va_arg(*args, s64);
	}
	x = va_arg(*args, int);
	return spec->size_bytes == 1 ? (s8)x : spec->size_bytes == 2 ? (s16)x : x;
}

static void put_string(struct output *out, const struct spec *spec, const char *text)
{
	if (!text) {
		text = "(null)";
	}
	put_padded(out, spec, text, strnlen(text, spec->has_precision ? spec->precision : SIZE_MAX));
}

static void put_signed(struct output *out, const struct spec *spec, s64 value)
{
	put_number(out, spec, value < 0 ? 0 - (u64)value : (u64)value, value < 0);
}

static void put_argument(struct output *out, struct spec *spec, va_list *args)
{
	char c;

	switch (spec->kind) {
	case 's':
		put_string(out, spec, va_arg(*args, const char *));
		return;
	case 'c':
		c = (char)va_arg(*args, int);
		put_padded(out, spec, &c, 1);
		return;
	case 'i':
		spec->kind = 'd';
		put_signed(out, spec, signed_argument(spec, args));
		return;
	case 'd':
		put_signed(out, spec, signed_argument(spec, args));
		return;
	case 'u':
	case 'x':
	case 'X':
		put_number(out, spec, unsigned_argument(spec, args), false);
		return;
	case 'p':
		spec->has_precision = true;
		spec->precision = 16;
		put_number(out, spec, (u64)(uintptr_t)va_arg(*args, void *), false);
		return;
	default:
		put(out, '%');
		if (spec->kind != '%') {
			put(out, spec->kind);
		}
		return;
	}
}

static const char *parse_spec(const char *fmt, struct spec *spec, va_list *args)
{
	int n;

	*spec = (struct spec){0};
	fmt = parse_flags(fmt, spec);
	if (*fmt == '*') {
		n = va_arg(*args, int);
		spec->is_left |= n < 0;
		spec->width = MIN((unsigned int)(n < 0 ? -n : n), WIDTH_MAX - 1);
		fmt++;
	} else {
		spec->width = parse_number(&fmt);
	}
	if (*fmt == '.') {
		fmt++;
		spec->has_precision = true;
		if (*fmt == '*') {
			n = va_arg(*args, int);
			spec->precision = n < 0 ? 0 : (unsigned int)n;
			fmt++;
		} else {
			spec->precision = parse_number(&fmt);
		}
	}
	fmt = parse_size(fmt, spec);
	spec->kind = *fmt;
	if (spec->kind != 's') {
		spec->precision = MIN(spec->precision, WIDTH_MAX - 1);
	}
	return *fmt ? fmt + 1 : fmt;
}

int format_text_v(char *to, size_t capacity, const char *fmt, va_list args)
{
	struct output out = {.to = to, .capacity = capacity};
	struct spec spec;
	va_list copy;

	va_copy(copy, args);
	while (*fmt) {
		if (*fmt != '%') {
			put(&out, *fmt);
			fmt++;
			continue;
		}
		fmt = parse_spec(fmt + 1, &spec, &copy);
		if (spec.kind) {
			put_argument(&out, &spec, &copy);
		}
	}
	va_end(copy);
	if (capacity) {
		to[MIN(out.length, capacity - 1)] = '\0';
	}
	return (int)out.length;
}

int format_text(char *to, size_t capacity, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = format_text_v(to, capacity, fmt, args);
	va_end(args);
	return length;
}
