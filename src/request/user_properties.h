/*
 * user_properties.h
 *		MQTT 5 user properties, from jsonb to the API's form.
 */
#ifndef IOTDATA_REQUEST_USER_PROPERTIES_H
#define IOTDATA_REQUEST_USER_PROPERTIES_H

#include "postgres.h"

#include "request/bytes.h"

/*
 * User properties in the API's form, [{"name": "value"}, ...], in UTF-8, from
 * that form or from {"name": "value", ...}. "size" gets the bytes that MQTT 5
 * takes for them (section 2.2.2.2): names and values, and 5 for each property.
 * Returns false when it is neither form. Allocated in the current memory
 * context; raises what the conversion to UTF-8 raises.
 */
extern bool iotdata_user_properties_encode(Datum jsonb, IotDataBytes *out,
										   size_t *size);

#endif							/* IOTDATA_REQUEST_USER_PROPERTIES_H */
