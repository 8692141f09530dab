/*
 * fields.h
 *		The members of an answer that make a row, and the same as bytes.
 */
#ifndef IOTDATA_ANSWER_FIELDS_H
#define IOTDATA_ANSWER_FIELDS_H

#include "postgres.h"

#include "aws/json.h"
#include "request/operation.h"

/*
 * The operation's fields, in their order, from an object of an answer. They
 * are valid as long as its document.
 */
extern void iotdata_fields_read(const IotDataOperation *operation,
								IotDataJsonValue object,
								IotDataJsonValue fields[IOTDATA_MAX_FIELDS]);

/*
 * The fields as bytes, for this machine to read again. Returns their number;
 * 0 when they do not fit, or are not all of simple types.
 */
extern size_t iotdata_fields_pack(const IotDataOperation *operation,
								  const IotDataJsonValue *fields,
								  char *out, size_t size);

/* Back again; strings are those in "bytes". */
extern void iotdata_fields_unpack(const IotDataOperation *operation,
								  const char *bytes,
								  IotDataJsonValue fields[IOTDATA_MAX_FIELDS]);

#endif							/* IOTDATA_ANSWER_FIELDS_H */
