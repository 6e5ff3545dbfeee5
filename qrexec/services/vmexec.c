/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qubes.VMExec+ARGUMENTS: run a program with exactly these arguments, without a shell between.
 *
 * '+' separates arguments; "--" is '-', and "-XX" (two digits 0-9A-F) is any byte but NUL.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes in place; false for a broken escape. */
static bool decode(char *text)
{
	char *out = text;
	int byte;

	for (; *text; text++) {
		if (*text != '-') {
			*out++ = *text;
		} else if (text[1] == '-') {
			*out++ = '-';
			text++;
		} else {
			if (digit(text[1]) < 0 || digit(text[2]) < 0) {
				return false;
			}
			byte = digit(text[1]) << 4 | digit(text[2]);
			if (!byte) {
				return false;
			}
			*out++ = (char)byte;
			text += 2;
		}
	}
	*out = 0;
	return true;
}

int main(int argc, char **argv)
{
	char *rest = argc == 2 ? argv[1] : NULL, *word, **arguments;
	size_t count = 0;

	arguments = rest ? calloc(strlen(rest) + 2, sizeof(*arguments)) : NULL;
	while (arguments && (word = strsep(&rest, "+"))) {
		if (!decode(word)) {
			arguments = NULL;
			break;
		}
		arguments[count++] = word;
	}
	if (!arguments || !*arguments[0]) {
		fprintf(stderr, "qubes.VMExec: not an encoded command\n");
		return 125;
	}
	execvp(arguments[0], arguments);
	fprintf(stderr, "qubes.VMExec: %s: %s\n", arguments[0], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}
