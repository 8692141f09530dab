/*
 * provider.c
 *		What the providers of credentials share.
 */
#include "postgres.h"

#include "credentials/provider.h"

bool
iotdata_credentials_is_header_safe(const char *value)
{
	if (*value == '\0')
		return false;
	for (; *value != '\0'; value++)
	{
		if (*value <= ' ' || *value > '~')
			return false;
	}
	return true;
}
