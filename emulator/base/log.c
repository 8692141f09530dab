/*
 * log.c
 *	  One line per event, where --log says; nothing at all without it.
 *
 * A line is written out before what it tells of goes on: who has an answer
 * finds its request in the log.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXTS 4
#define TEXT_SIZE 1024

static FILE *file;

bool
log_open(const char *path)
{
	file = strcmp(path, "-") == 0 ? stderr : fopen(path, "ae");
	if (file == NULL)
		return false;
	setvbuf(file, NULL, _IOLBF, BUFSIZ);
	return true;
}

void
log_close(void)
{
	if (file != NULL && file != stderr)
		fclose(file);
	file = NULL;
}

bool
log_enabled(void)
{
	return file != NULL;
}

void
log_event(const char *format,...)
{
	va_list		arguments;

	if (file == NULL)
		return;
	va_start(arguments, format);
	vfprintf(file, format, arguments);
	va_end(arguments);
	putc('\n', file);
}

const char *
log_text(const char *text)
{
	static char buffers[TEXTS][TEXT_SIZE];
	static unsigned turn;
	char	   *buffer = buffers[turn++ % TEXTS];
	size_t		length = 0;

	for (; *text != '\0' && length < TEXT_SIZE - 4; text++)
	{
		unsigned char byte = (unsigned char) *text;

		if (byte <= ' ' || byte == 0x7f)
			length += (size_t) snprintf(buffer + length, 4, "%%%02X", byte);
		else
			buffer[length++] = (char) byte;
	}
	buffer[length] = '\0';
	return buffer;
}
