/*
 * json_parse.h
 *		From a JSON text to the values in it.
 */
#ifndef IOTDATA_AWS_JSON_PARSE_H
#define IOTDATA_AWS_JSON_PARSE_H

#include "aws/json_document.h"

/*
 * Fill in the nodes of a document that has its text. Returns NULL, or what is
 * wrong.
 */
extern const char *iotdata_json_read(IotDataJson *document);

#endif							/* IOTDATA_AWS_JSON_PARSE_H */
