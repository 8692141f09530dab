/*
 * http1_syntax.h
 *		What the lines of an HTTP/1 message are made of (RFC 9110, RFC 9112).
 *
 * Each function reads a whole line or a part of one, without its end. Nothing
 * is changed or allocated; results point into what is read.
 */
#ifndef IOTDATA_AWS_HTTP1_SYNTAX_H
#define IOTDATA_AWS_HTTP1_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of a message, without a NUL behind it. */
typedef struct IotDataHttp1Text
{
	const char *text;
	size_t		length;
} IotDataHttp1Text;

/* All of a string. */
extern IotDataHttp1Text iotdata_http1_text(const char *string);

extern bool iotdata_http1_is_blank(char c);

/* Has it one that is not a tab? They can be anything but what they look like. */
extern bool iotdata_http1_has_control_character(IotDataHttp1Text text);

/* Is it this word, the case of ASCII letters aside? */
extern bool iotdata_http1_is_word(IotDataHttp1Text text, const char *word);

/*
 * What is before and behind the first "separator", without blanks around it.
 * Returns false when there is none.
 */
extern bool iotdata_http1_split_at(IotDataHttp1Text text, char separator,
								   IotDataHttp1Text *before,
								   IotDataHttp1Text *behind);

/*
 * Take the next element, without blanks around it, off a list with commas.
 * Returns false when the list is at its end.
 */
extern bool iotdata_http1_next_element(IotDataHttp1Text *list,
									   IotDataHttp1Text *element);

/* Digits, and nothing else, that make a number of 64 bits. */
extern bool iotdata_http1_read_number(IotDataHttp1Text text, uint64_t *number);

/*
 * "HTTP/1.1 200 OK", or 1.0; the reason may be missing, with the blank before
 * it. The status is from 100 to 999.
 */
extern bool iotdata_http1_split_status_line(IotDataHttp1Text line,
											int *minor_version, int *status);

/* "Name: value": the value is without blanks around it. */
extern bool iotdata_http1_split_header(IotDataHttp1Text line,
									   IotDataHttp1Text *name,
									   IotDataHttp1Text *value);

/*
 * "1a;name=value": up to 16 hex digits, then nothing or, behind blanks, an
 * extension, which is empty when there is none.
 */
extern bool iotdata_http1_split_chunk_size(IotDataHttp1Text line,
										   uint64_t *size,
										   IotDataHttp1Text *extension);

#endif							/* IOTDATA_AWS_HTTP1_SYNTAX_H */
