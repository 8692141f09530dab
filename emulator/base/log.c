/*
 * log.c
 *	  One line per event, where --log says; nothing at all without it.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXTS 4
#define TEXT_SIZE 1024

static FILE *file;
static bool unwritten;

bool
log_open(const char *path)
{
	file = strcmp(path, "-") == 0 ? stderr : fopen(path, "ae");
	return file != NULL;
}

void
log_close(void)
{
	log_flush();
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
	unwritten = true;
}

void
log_flush(void)
{
	if (file != NULL && unwritten)
		fflush(file);
	unwritten = false;
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
