/*
 * uri.h
 *		Percent-encoding as AWS does it.
 */
#ifndef IOTDATA_AWS_URI_H
#define IOTDATA_AWS_URI_H

#include "aws/buffer.h"

/*
 * Append "bytes", every byte but A-Z a-z 0-9 - . _ ~ as %XX with upper-case
 * hex digits. '/' is encoded too: a client ID or a topic is one label of a
 * path. (RFC 3986 section 2.3; AWS Signature Version 4, "UriEncode".)
 */
extern void iotdata_uri_encode(IotDataBuffer *out, const char *bytes,
							   size_t length);

#endif							/* IOTDATA_AWS_URI_H */
